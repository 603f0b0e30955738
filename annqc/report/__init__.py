"""report: what a person or a pipeline reads.

The last step of read -> match -> measure -> infer -> judge -> report. `words` says findings in
sentences, `standing` who is off, fine or open, `compared` what went in. `terminal` lays them on
one screen, `json` writes the documented JSON, `tablefiles` the tables, and `saved` a folder that
opens again. `checks` is about judgements: a page, Markdown, SARIF and marks on GitHub.
"""
