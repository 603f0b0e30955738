"""Fields of rules, datasets and examples: what each takes, and how a fault in it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from annqc.errors import SpecError
from annqc.judge import Tolerance, load_spec
from annqc.judge import registry as judge_registry
from annqc.judge.model import Example
from annqc.judge.registry import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator


def unused(measured, rule):
    raise AssertionError


ALL = frozenset(
    "by where tolerance confidence at_least at_most no_worse_than margin sequential kind categories"
    " ".split()
)
SHARE = Measure(
    name="share",
    summary="a share",
    assess=unused,
    takes=ALL - {"tolerance", "sequential"},
    limits=("at_least", "at_most"),
    kinds=("missed", "spurious"),
)
NUMBER = Measure(
    name="number",
    summary="a number",
    assess=unused,
    takes=frozenset({"at_most", "kind"}),
    limits=("at_most",),
    limit_range=(0.0, float("inf")),
)
OFFSET = Measure(
    name="offset",
    summary="an offset",
    assess=unused,
    takes=ALL - {"at_least", "at_most", "kind", "categories"},
)


@pytest.fixture(autouse=True)
def planted(monkeypatch) -> Iterator[None]:
    """Measures of every kind, whatever the real ones take."""
    for one in (SHARE, NUMBER, OFFSET):
        monkeypatch.setitem(judge_registry._MEASURES, one.name, one)


def rule_of(**given):
    return load_spec({"annqc": {"version": 1}, "rule": [{"id": "x", **given}]}).rules[0]


def fault_of(**given) -> str:
    with pytest.raises(SpecError) as caught:
        rule_of(**given)
    head, *lines = str(caught.value).splitlines()
    assert head == "<spec>: the spec has 1 fault", lines
    return lines[0].strip()


def text_faults(text: str, **options) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(text, **options)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        (0.95, 0.95),
        (1, 1.0),
        ("95 %", 0.95),
        ("95%", 0.95),
        ("57 %", 0.57),
        ("99.5 %", 0.995),
        (".5 %", 0.005),
        ("0.95", 0.95),
        ("0 %", 0.0),
        ("100 %", 1.0),
    ],
)
def test_limits_are_numbers_or_percentages(given, limit):
    assert rule_of(measure="share", at_least=given).at_least == limit
    assert rule_of(measure="share", at_most=given).at_most == limit


@pytest.mark.parametrize("percent", range(101))
def test_every_percentage_is_the_number_it_means(percent):
    rule = rule_of(measure="share", at_least=f"{percent} %")
    assert rule.at_least == float(f"{percent / 100:.2f}")


@pytest.mark.parametrize("given", ["95 % of them", "", "%", "nan", "inf", "1e5", "٩ %", "2 px"])
def test_other_texts_are_no_limits(given):
    said = fault_of(measure="share", at_least=given)
    assert said == (
        "rule 'x', at_least: wrong kind of value; expected a number or a percentage; "
        f"found {given!r}"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"measure": "share", "at_least": "101 %"},
            (
                "rule 'x', at_least: the limit is out of range; "
                "expected a number from 0 to 1; found 1.01"
            ),
        ),
        (
            {"measure": "share", "at_least": 95},
            (
                "rule 'x', at_least: the limit is out of range; "
                "expected a number from 0 to 1; found 95; for 95 % write 0.95"
            ),
        ),
        (
            {"measure": "number", "at_most": "2 %"},
            "rule 'x', at_most: number is no share, so its limit cannot be a percentage",
        ),
        (
            {"measure": "number"},
            "rule 'x': number needs a limit, at_most; found nothing",
        ),
        (
            {"measure": "share"},
            (
                "rule 'x': share needs a limit, at_least, at_most or no_worse_than; "
                "found none of them"
            ),
        ),
        (
            {"measure": "share", "at_most": 0.5, "no_worse_than": "baseline"},
            (
                "rule 'x', no_worse_than: share needs a limit, at_least, at_most or "
                "no_worse_than; found at_most and no_worse_than"
            ),
        ),
        (
            {"measure": "share", "no_worse_than": "last week"},
            (
                "rule 'x', no_worse_than: there is no thing to compare with 'last week'; "
                "expected one of baseline"
            ),
        ),
        (
            {"measure": "offset", "tolerance": "1 px", "no_worse_than": "baseline"},
            (
                "rule 'x', tolerance: tolerance and no_worse_than exclude each other; "
                "how much worse is no worse the margin says"
            ),
        ),
        (
            {"measure": "offset", "margin": "1 px"},
            ("rule 'x', margin: a margin goes with no_worse_than = \"baseline\", which is missing"),
        ),
        (
            {"measure": "offset", "no_worse_than": "baseline", "margin": 0.5},
            (
                "rule 'x', margin: the margin of offset needs its unit, px or %; "
                "expected '0.5 px' or '0.5 %'; found 0.5"
            ),
        ),
        (
            {"measure": "share", "no_worse_than": "baseline", "margin": "2 px"},
            (
                "rule 'x', margin: the margin of share is no length; "
                "expected a number such as 0.02 or '2 %'; found '2 px'"
            ),
        ),
        (
            {"measure": "share", "no_worse_than": "baseline", "margin": 2},
            (
                "rule 'x', margin: the margin is out of range; expected a number from 0 to 1; "
                "found 2"
            ),
        ),
        (
            {"measure": "share", "no_worse_than": "baseline", "margin": "200 %"},
            "rule 'x', margin: the margin is out of range; found '200 %'",
        ),
        (
            {"measure": "share", "no_worse_than": "baseline", "margin": -0.1},
            "rule 'x', margin: the margin is out of range; expected 0 or more; found -0.1",
        ),
        (
            {"measure": "share", "no_worse_than": "baseline", "margin": "two"},
            (
                "rule 'x', margin: cannot read the margin 'two'; "
                "expected a number such as 0.02, or a text such as '2 %' or '0.5 px'; found 'two'"
            ),
        ),
        (
            {"measure": "offset", "no_worse_than": "baseline", "sequential": True},
            (
                "rule 'x', sequential: sequential and no_worse_than exclude each other; "
                "a comparison with a baseline is made once"
            ),
        ),
        (
            {"measure": "offset", "sequential": "yes"},
            ("rule 'x', sequential: wrong kind of value; expected true or false; found 'yes'"),
        ),
        (
            {"measure": "offset", "tolerance": 2},
            (
                "rule 'x', tolerance: a tolerance needs its unit, px or %; "
                "expected '2 px' or '2 %'; found 2"
            ),
        ),
        (
            {"measure": "share", "at_most": 0.1, "kind": "mised"},
            "rule 'x', kind: share knows no kind 'mised'; did you mean 'missed'?",
        ),
        (
            {"measure": "share", "at_most": 0.1, "kind": ["missed", "zzz"]},
            "rule 'x', kind: share knows no kind 'zzz'; expected one of missed, spurious",
        ),
        (
            {"measure": "share", "at_most": 0.1, "kind": ["missed", "missed"]},
            "rule 'x', kind: 'missed' is named more than once",
        ),
        (
            {"measure": "number", "at_most": 1, "kind": 3},
            (
                "rule 'x', kind: wrong kind of value; "
                "expected a kind or a list of kinds, in quotes; found 3"
            ),
        ),
        (
            {"measure": "number", "at_most": 1, "categories": ["a"]},
            "rule 'x', categories: number has no categories; it takes at_most, kind",
        ),
        (
            {"measure": "share", "at_most": 1, "why": ""},
            "rule 'x', why: the text is empty",
        ),
        (
            {"measure": "share", "at_most": 1, "confidence": "95"},
            (
                "rule 'x', confidence: the confidence level is out of range; "
                "expected a number between 0.5 and 1, such as 0.95; found '95'"
            ),
        ),
    ],
)
def test_a_rule_that_cannot_be_meant(given, said):
    assert fault_of(**given) == said


def test_margins_are_in_the_units_of_the_measure():
    compared = {"no_worse_than": "baseline"}
    assert rule_of(measure="share", margin="2 %", **compared).margin == 0.02
    assert rule_of(measure="share", margin="0.02", **compared).margin == 0.02
    assert rule_of(measure="share", margin=0, **compared).margin == 0.0
    assert rule_of(measure="share", **compared).margin is None
    px = rule_of(measure="offset", margin="0.5 px", **compared).margin
    assert px == Tolerance(px=0.5, rel=0.0)
    rel = rule_of(measure="offset", margin="2 %", **compared).margin
    assert rel == Tolerance(px=0.0, rel=0.02)


def test_kinds_categories_and_reasons():
    rule = rule_of(
        measure="share", at_most="1 %", kind="missed", categories=["a", "b, c"], why="we lost some"
    )
    assert (rule.kind, rule.categories, rule.why) == (
        ("missed",),
        ("a", "b, c"),
        "we lost some",
    )
    assert rule_of(measure="number", at_most=1, kind=["any", "thing"]).kind == ("any", "thing")


def test_sequential_and_a_level_in_percent():
    rule = rule_of(measure="offset", sequential=True, confidence="99 %")
    assert rule.sequential is True
    assert rule.confidence == 0.99
    assert rule_of(measure="offset").sequential is False


def test_a_check_of_a_measure_may_raise(monkeypatch):
    def check(rule):
        what = "kind is missing"
        raise SpecError(what, hint="write one")

    picky = Measure(name="picky", summary="", assess=unused, takes=frozenset({"kind"}), check=check)
    monkeypatch.setitem(judge_registry._MEASURES, "picky", picky)
    assert fault_of(measure="picky") == "rule 'x': kind is missing; write one"


HEAD = '[annqc]\nversion = 1\n[[rule]]\nid = "r"\nmeasure = "share"\nat_least = 0.5\n'


def test_examples():
    spec = load_spec(
        HEAD
        + '[[example]]\nname = "one-loose"\nimages = 30\nseed = 7\nscene = { n_images = 3 }\n'
        + 'annotators.ann = []\nannotators.bob = "loose right 5 px"\nexpect.r = "pass"\n'
    )
    (example,) = spec.examples
    assert example == Example(
        name="one-loose",
        annotators={"ann": (), "bob": ("loose right 5 px",)},
        images=30,
        seed=7,
        scene={"n_images": 3},
        expect={"r": "pass"},
    )
    assert spec.is_profile
    plain = load_spec(HEAD + '[[example]]\nname="x"\nannotators={a=[]}\nexpect={r="fail"}\n')
    assert (plain.examples[0].images, plain.examples[0].seed) == (60, 1)


def test_faults_of_examples():
    assert text_faults(
        HEAD
        + """\
[[example]]
name = "Loose"
annotators = []
images = 0
seed = -1
scene = 3

[example.expect]
r = "passes"

[[example]]
name = "x"
annotators = {}
expect = {}

[[example]]
name = "x"
anotators.a = []

[[example]]
name = "y"
annotators.a = []
expect.s = "pass"
"""
    ) == [
        (
            "line 8, example 'Loose', name: this cannot be the name of an example; "
            "expected lower-case letters, digits, '-', '_' and '.', such as 'one-loose-edge'; "
            "found 'Loose'"
        ),
        (
            "line 9, example 'Loose', annotators: wrong kind of value; expected a table of "
            'annotators and habits, such as { ann = [], bob = "loose right 5 px" }; found []'
        ),
        (
            "line 10, example 'Loose', images: the number is too small; "
            "expected a whole number, 1 or more; found 0"
        ),
        (
            "line 11, example 'Loose', seed: the number is too small; "
            "expected a whole number, 0 or more; found -1"
        ),
        (
            "line 12, example 'Loose', scene: wrong kind of value; expected a table of arguments "
            "of the simulation, such as { n_images = 60 }; found 3"
        ),
        (
            "line 14, example 'Loose', expect: there is no outcome 'passes'; expected one of "
            "error, fail, not_applicable, pass, undecided; did you mean 'pass'?"
        ),
        (
            "line 19, example 'x', annotators: there is no annotator; expected a table of "
            'annotators and habits, such as { ann = [], bob = "loose right 5 px" }'
        ),
        (
            "line 20, example 'x', expect: nothing is expected; expected a table of rules and "
            'outcomes, such as { recall = "pass" }'
        ),
        "line 22, example 'x': annotators is missing",
        "line 22, example 'x': expect is missing",
        "line 23, example 'x': this name is taken on line 18",
        "line 24, example 'x': there is no field 'anotators'; did you mean 'annotators'?",
        "line 29, example 'y', expect: there is no rule 's'; expected one of r",
    ]


def test_what_undecided_means():
    text = HEAD.replace("version = 1\n", 'version = 1\nundecided = "{}"\n')
    for one in ("skip", "fail", "pass"):
        assert load_spec(text.format(one)).annqc.undecided == one
    assert load_spec(HEAD).annqc.undecided is None
    assert text_faults(text.format("skipp")) == [
        (
            "line 3, [annqc], undecided: there is no outcome for undecided checks 'skipp'; "
            "expected one of fail, pass, skip; did you mean 'skip'?"
        )
    ]


@pytest.mark.parametrize("kind", ["dataset", "example"])
def test_tables_in_single_brackets(kind):
    (said,) = text_faults(HEAD + f'[{kind}]\nname = "x"\n')
    assert said == (
        f"line 7, {kind}: every {kind} starts with [[{kind}]], in two pairs of brackets"
    )


def test_what_a_measure_groups_by_unless_told(monkeypatch):
    takes = frozenset({"by"})
    for name, by in (("each", ("annotator",)), ("all", ())):
        one = Measure(name=name, summary="", assess=unused, takes=takes, by=by)
        monkeypatch.setitem(judge_registry._MEASURES, name, one)
    assert rule_of(measure="each").by == ("annotator",)
    assert rule_of(measure="all").by == ()
    assert rule_of(measure="all", by="size, category").by == ("size", "category")
