"""Markdown of checks: what matters, as it stands, and no larger than a summary may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from annqc.report.checks.document import make_document
from annqc.report.checks.markdown import markdown
from tests.report.checks_records import EVIDENCE, HOSTILE, Elements, document, record, spoiled


def rendered(text):
    """Read Markdown as GitHub does, tables and raw HTML included."""
    return Elements(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def test_what_passes_is_counted_and_what_does_not_is_told():
    text = markdown(document())
    lines = text.splitlines()
    assert lines[0] == "## annqc: checks of annotations"
    assert (
        lines[2] == "✅ pass: 1 · ❌ fail: 4 · ❔ undecided: 1 · ⬜ not applicable: 1 · 💥 error: 1"
    )
    page = rendered(text)
    assert page.found.count(("tr", ())) == 1 + 7
    assert record("recall")["sentence"] in page.text
    assert "overlap" not in page.text


def test_columns_tell_apart_what_there_is():
    one = record("recall")
    alone = markdown(make_document([one]))
    assert "| check | outcome | what |" in alone
    two = [one | {"spec": f"/w/{name}.annqc.toml", "dataset": "north"} for name in "ab"]
    assert "| spec | check | dataset | outcome | what |" in markdown(make_document(two))


def test_worst_annotations_are_folded_away():
    one = record("recall") | {"evidence": [EVIDENCE], "reproduce": ["pytest 'a b.annqc.toml'"]}
    page = rendered(markdown(make_document([one | {"why": "it matters"}])))
    tags = [tag for tag, _ in page.found]
    assert tags.count("details") == tags.count("/details") == 1
    assert EVIDENCE["text"] in page.text
    assert "pytest 'a b.annqc.toml'" in page.text
    assert "Why: it matters" in page.text


def test_nothing_checked():
    assert markdown(make_document([])).endswith("\n\nNo checks were made.\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_as_they_are(text):
    keep_to_the_shape(text)


@given(st.text(min_size=1, max_size=60))
def test_any_text_is_shown_as_it_is(text):
    keep_to_the_shape(text)


def keep_to_the_shape(text):
    found = rendered(markdown(spoiled(text)))
    tame = rendered(markdown(spoiled("tame")))
    breaks = ("br", ())
    shape = [one for one in found.found if one != breaks]
    assert shape == [one for one in tame.found if one != breaks]


def test_mentions_references_and_addresses_lead_nowhere():
    text = markdown(spoiled("@octocat #12 !3 ~bug %4 https://evil.example www.evil.example :tada:"))
    body = text[: text.index("<pre>")]
    for live in ("@octocat", "#12", "!3", "https:", "www.", ":tada:"):
        assert live in text.replace("\u200b", "").replace("\\", "")
        outside_code = body.replace(f"<code>{live}", "")
        assert live not in outside_code.partition("</code>")[2].partition("<code>")[0]


def test_text_survives_the_escapes():
    for text in ("6.1 px (5.8 to 6.4 px, 40 images)", "a_b*c*`d`[e](f)|g|", "<b> & &lt;", "1. x"):
        page = rendered(markdown(make_document([record("recall") | {"sentence": text}])))
        assert text in page.text.replace("\u200b", "")


def test_size_is_capped():
    long = record("no-edge-bias")
    long |= {"sentence": "ü" * 5_000, "evidence": [{**EVIDENCE, "text": "|" * 5_000}] * 15}
    for count in (1, 90, 500):
        text = markdown(make_document([long] * count))
        assert len(text.encode()) <= 200_000
        kept = text.count("❌ fail |")
        left = count - kept
        assert (f"{left:,} more checks that do not pass are left out here." in text) == (left > 0)
    small = markdown(make_document([long] * 30), most_bytes=5_000)
    assert len(small.encode()) <= 5_000
    assert "more checks that do not pass are left out here." in small
