"""Records of real judgements that the tests of reports share, and ways to make them hostile."""

from __future__ import annotations

import copy
import json
from functools import cache
from html.parser import HTMLParser

import annqc
from annqc import Habit
from annqc.report.checks.document import make_document
from annqc.report.checks.record import make_record

RULES = [
    {"id": "no-edge-bias", "measure": "edge_offset"},
    {"id": "no-edge-bias-by-size", "measure": "edge_offset", "by": ["annotator", "size"]},
    {"id": "recall", "measure": "recall", "at_least": 0.97},
    {"id": "precision", "measure": "precision", "at_most": 0.5, "by": ["category"]},
    {"id": "overlap", "measure": "mean_iou", "at_least": 0.5},
    {"id": "no-such-column", "measure": "recall", "at_least": 0.9, "by": ["weather"]},
]

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg></details><b>",
    "a|b|c",
    "line\nbreak\r\n::error::pwned",
    "@octocat #12 !3 https://evil.example www.evil.example a@b.example",
    "[click](javascript:alert(1)) ![x](y) `code` **bold** ~~gone~~ $x$ :smile:",
    "{{ 7 * 7 }} {% raw %}",
    "%0A%25,:;",
    "\x1b[31mred\x00\u202egnirts",
    "\udcff\ud800",
    "# heading\n- item\n1. one",
    "&lt;b&gt; &amp; &#64;",
    "\\| \\` \\",
]


@cache
def _judged() -> annqc.Judgement:
    made = annqc.simulate(
        {
            "ann": [],
            "ben": Habit.loose("right", px=6),
            "cat": Habit.shift(dy=-6),
            "eve": Habit.misses(0.2),
        },
        n_images=40,
        rng=3,
    )
    return annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": RULES})


@cache
def _undecided() -> annqc.Judgement:
    made = annqc.simulate(["ann", "ben"], n_images=10, boxes_per_image=[2] * 10, noise_px=6, rng=5)
    rules = [{"id": "few", "measure": "edge_offset"}]
    return annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": rules})


@cache
def _nothing() -> annqc.Judgement:
    made = annqc.simulate({"ann": Habit.misses(1.0)}, n_images=10, rng=1)
    rules = [{"id": "nothing", "measure": "edge_offset"}]
    return annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": rules})


@cache
def _text() -> str:
    given = [
        make_record(check, spec=judged.spec)
        for judged in (_judged(), _undecided(), _nothing())
        for check in judged.checks
    ]
    return json.dumps(given)


def judgement():
    """Return a judgement with checks that pass, fail and cannot be made."""
    return _judged()


def records():
    """Return records of every outcome, each time anew, as if another process had sent them."""
    return json.loads(_text())


def record(id):
    """Return one of them."""
    return next(one for one in records() if one["id"] == id)


def document():
    """Return the document of them."""
    return make_document(records())


EVIDENCE = {
    "annotator": "ben",
    "image_id": 7,
    "file_name": "img_7.jpg",
    "annotation_id": 123,
    "reference_id": 11,
    "category": "car",
    "candidate_category": "car",
    "kind": "offset",
    "edge": "out_right",
    "offset_px": 5.2,
    "offset": 4.1,
    "iou": 0.9,
    "source": "vendor/work.json",
    "row": 41,
    "text": "annotation 123 on img_7.jpg (work.json, row 41): right edge 5.2 px too far out",
}


def spoiled(text):
    """Return a document with ``text`` wherever a stranger's text can stand."""
    one = record("no-edge-bias")
    one |= {"spec": text, "dataset": text, "id": text, "sentence": text, "summary": text}
    one |= {"why": text, "explanation": text, "reproduce": [text], "by": [text]}
    one["rows"] = [
        {**row, "text": text, "group": {"annotator": text, text: text}, "quantity": text}
        for row in one["rows"][:3]
    ]
    names = ("annotator", "file_name", "annotation_id", "category", "source", "text")
    one["evidence"] = [{**EVIDENCE, **dict.fromkeys(names, text)}]
    other = {**copy.deepcopy(one), "outcome": "undecided"}
    for row in other["rows"]:
        row["outcome"] = "undecided"
    return make_document([one, other])


class Elements(HTMLParser):
    """Elements of a page with the names of their attributes, in order; and the text."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.text = ""
        self.values = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        self.found.append((f"/{tag}", ()))

    def handle_comment(self, data):
        self.found.append(("comment", ()))

    def handle_data(self, data):
        self.text += data
