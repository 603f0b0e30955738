"""report: checks for people and pipelines: records, JSON, Markdown, GitHub, SARIF, HTML.

`record` turns a check into plain values, and `document` puts records together. All others take that
document: `markdown`, `github`, `sarif` and `html`, which draws with `plot`. What is loaded here
needs no numpy, so that a test run whose checks all come from the cache stays quick.
"""

from annqc.report.checks.document import make_document, write_json
from annqc.report.checks.github import annotations
from annqc.report.checks.html import write_report
from annqc.report.checks.markdown import markdown
from annqc.report.checks.record import (
    failure_text,
    make_record,
    properties,
    reproduce,
    worst_of,
)
from annqc.report.checks.sarif import sarif, write_sarif
from annqc.report.checks.trouble import make_run, make_spec_error, ran_words

__all__ = [
    "annotations",
    "failure_text",
    "make_document",
    "make_record",
    "make_run",
    "make_spec_error",
    "markdown",
    "properties",
    "ran_words",
    "reproduce",
    "sarif",
    "worst_of",
    "write_json",
    "write_report",
    "write_sarif",
]
