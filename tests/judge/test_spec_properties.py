"""Random specs mean what was written, and damaged ones are refused in good order."""

from __future__ import annotations

from pathlib import Path

from hypothesis import assume, example, given
from hypothesis import strategies as st

import annqc
from annqc.errors import SpecError
from annqc.judge import load_spec
from annqc.judge.registry import find_measure
from annqc.judge.schema import spec_schema
from tests.judge.schema_checker import errors
from tests.judge.spec_texts import rule_of, rules, text_of

SCHEMA = spec_schema()
BOXES = (Path(annqc.__file__).parents[1] / "specs" / "boxes.annqc.toml").read_text("utf-8")
RICH = """\
[annqc]
version = 1
extends = "boxes"
without = ["mean-iou"]
gold = "${GOLD:-gold.json}"
annotator = "stem"
undecided = "skip"

[match]
iou = 0.5

[[rule]]
id = "recall"
at_least = "95 %"
why = \"\"\"
because
\"\"\"

[[rule]]
id = "edges"
measure = "edge_offset"
by = ["annotator", "category"]
where = { category = ["a", "b"], size = "small" }
tolerance = "max(1 px, 2 %)"

[[dataset]]
name = "a"
candidate = "a/*.json"

[[example]]
name = "one"
annotators.ann = []
annotators.bob = ["loose right 5 px"]
expect.edges = "fail"
"""


def sound(meant: dict) -> bool:
    """Whether the measure's own check lets the rule pass."""
    check = find_measure(meant["measure"]).check
    try:
        return check is None or check(rule_of(meant)) is None
    except SpecError:
        return False


@given(st.lists(rules(), min_size=1, max_size=3))
def test_what_is_written_is_what_is_read(written):
    for number, pair in enumerate(written):
        for one in pair:
            one["id"] = f"r{number}"
    assume(all(sound(meant) for _, meant in written))
    header = {"version": 1}
    given_rules = [one for one, _ in written]
    spec = load_spec(text_of(header, given_rules), environ={})
    assert spec.rules == tuple(rule_of(meant) for _, meant in written)
    assert errors({"annqc": header, "rule": given_rules}, SCHEMA) == []
    lines = text_of(header, given_rules).splitlines()
    assert [lines[line - 1] for line in spec.lines.values()] == ["[[rule]]"] * len(written)


@given(rules(), rules())
def test_a_rule_put_on_another_is_what_it_gives_and_what_it_leaves(tmp_path_factory, base, top):
    (given_base, meant_base), (given_top, meant_top) = base, top
    assume(sound(meant_base) and sound(meant_top))
    folder = tmp_path_factory.getbasetemp()
    path = folder / "random-base.annqc.toml"
    path.write_text(text_of({"version": 1}, [given_base]), encoding="utf-8")
    header = {"version": 1, "extends": str(path)}
    if given_base["measure"] != given_top["measure"]:
        (rule,) = load_spec(text_of(header, [given_top]), environ={}).rules
        assert rule == rule_of(meant_top)
        return
    del given_top["measure"]
    rest = {name: one for name, one in meant_base.items() if name not in given_top}
    # What is inherited may not go with what is given, which only the whole shows.
    both = meant_base | meant_top
    assume(sound(both))
    assume(not both.get("sequential") or "no_worse_than" not in both)
    (rule,) = load_spec(text_of(header, [given_top]), environ={}).rules
    for name, one in meant_top.items():
        assert getattr(rule, name) == one
    plain = rule_of({"id": "r", "measure": rule.measure})
    limits = {"at_least", "at_most", "no_worse_than", "margin", "tolerance"}
    for name, one in rest.items():
        kept = getattr(rule, name)
        if name in limits and limits & given_top.keys():
            assert kept in (one, getattr(plain, name))
        else:
            assert kept == one


ALPHABET = "[]{}=\"'\\#,.$:-_ \t\nabc019%é\x00\x7f"


@st.composite
def damaged(draw, text):
    """A text with a few pieces cut out, doubled, moved or put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 30)))
        piece = text[start:stop]
        change = draw(st.sampled_from(["cut", "double", "put", "move", "replace"]))
        if change == "cut":
            text = text[:start] + text[stop:]
        elif change == "double":
            text = text[:stop] + piece + text[stop:]
        elif change == "move":
            rest = text[:start] + text[stop:]
            at = draw(st.integers(0, len(rest)))
            text = rest[:at] + piece + rest[at:]
        else:
            put = draw(st.text(ALPHABET, min_size=1, max_size=5))
            text = text[:start] + put + text[start if change == "put" else stop :]
    return text


@given(st.sampled_from([RICH, BOXES]).flatmap(damaged))
@example(RICH)
@example("[" * 5000)
@example("[annqc]\nversion = 1\ngold = " + "[" * 3000)
@example("a" + ".a" * 3000 + " = 1")
def test_damage_is_refused_in_good_order(text):
    try:
        spec = load_spec(text + "\n", environ={})
    except SpecError as error:
        head, *lines = str(error).splitlines()
        assert head.startswith("<spec>: the spec has "), head
        assert lines
    else:
        assert spec.rules
        assert spec.datasets is not None


@given(st.sampled_from(RICH.splitlines()))
def test_any_line_may_be_missing(line):
    text = "\n".join(one for one in RICH.splitlines() if one != line)
    said = ""
    try:
        load_spec(text, environ={})
    except SpecError as error:
        said = str(error)
    assert all(one.startswith("  ") for one in said.splitlines()[1:])
