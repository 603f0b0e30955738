"""Inheritance: profiles and other specs, field by field, and faults wherever they stand."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

import annqc
from annqc.errors import SpecError, UnknownNameError
from annqc.judge import Tolerance, load_spec
from annqc.judge import registry as judge_registry
from annqc.judge.inherit import find_profile, profiles
from annqc.judge.registry import Measure
from annqc.match import MatchPolicy

SPECS = Path(annqc.__file__).parents[1] / "specs"

TEAM = """\
[annqc]
version = 1
gold = "gold/gold.json"
annotator = "stem"
undecided = "fail"

[match]
iou = 0.6
gate = 0.4

[[rule]]
id = "edges"
measure = "edge_offset"
tolerance = "2 px"
why = "the team says so"

[[rule]]
id = "recall"
measure = "recall"
by = ["annotator", "category"]
at_least = 0.9
"""


@pytest.fixture
def house(tmp_path):
    """A folder with a team's spec, and a writer for specs in a folder below."""
    (tmp_path / "team.annqc.toml").write_text(TEAM, encoding="utf-8")
    (tmp_path / "job").mkdir()

    def write(text: str, name: str = "job/x.annqc.toml", head: str = "version = 1") -> Path:
        path = tmp_path / name
        text = text if text.startswith("[annqc]") else f"[annqc]\n{head}\n{text}"
        path.write_text(text, encoding="utf-8")
        return path

    return write


EXTENDS = 'extends = "../team.annqc.toml"\ncandidate = "work.json"\n'


def faults(source) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(source)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_everything_is_inherited_field_by_field(house, tmp_path):
    path = house(f"{EXTENDS}[match]\niou = 0.7\n")
    spec = load_spec(path)
    team = str(tmp_path / "job" / "../team.annqc.toml")
    team = os.path.normpath(team)
    assert spec.gold == [str(tmp_path / "gold/gold.json")]
    assert spec.candidate == [str(tmp_path / "job/work.json")]
    assert spec.annqc.annotator == "stem"
    assert spec.annqc.undecided == "fail"
    assert spec.annqc.extends == "../team.annqc.toml"
    assert spec.match == MatchPolicy(iou=0.7, gate=0.4)
    alone = tomllib.loads(TEAM)
    del alone["annqc"]["gold"]
    assert spec.rules == load_spec(alone).rules
    assert spec.origins == {"edges": team, "recall": team}
    assert spec.lines == {"edges": 11, "recall": 17}
    assert spec.path == str(path)


def test_a_rule_changes_only_what_it_gives(house):
    path = house(
        EXTENDS
        + '[[rule]]\nid = "new"\nmeasure = "precision"\nat_least = 0.5\n'
        + '[[rule]]\nid = "edges"\nconfidence = 0.9\n'
        + '[[rule]]\nid = "recall"\nmeasure = "recall"\nat_most = 0.99\n'
    )
    spec = load_spec(path)
    edges, recall, new = spec.rules
    assert (edges.id, recall.id, new.id) == ("edges", "recall", "new")
    assert edges.tolerance == Tolerance(px=2, rel=0)
    assert (edges.confidence, edges.why) == (0.9, "the team says so")
    assert recall.by == ("annotator", "category")
    assert (recall.at_least, recall.at_most) == (None, 0.99)
    assert spec.origins == {}
    assert spec.lines == {"new": 5, "edges": 9, "recall": 12}


def test_another_measure_replaces_the_rule(house):
    spec = load_spec(house(EXTENDS + '[[rule]]\nid = "edges"\nmeasure = "shift"\n'))
    edges = spec.rules[0]
    assert (edges.measure, edges.tolerance, edges.why) == ("shift", None, None)
    said = faults(house(EXTENDS + '[[rule]]\nid = "edges"\nmeasure = "mean_iou"\n'))
    (said,) = said
    assert said.startswith("line 5, rule 'edges': mean_iou needs a limit, at_least")


def test_without_drops(house):
    spec = load_spec(house(EXTENDS + 'without = ["edges"]\n'))
    assert [rule.id for rule in spec.rules] == ["recall"]
    assert set(spec.lines) == set(spec.origins) == {"recall"}
    spec = load_spec(
        house(EXTENDS + 'without = "edges"\n[[rule]]\nid = "edges"\nmeasure = "shift"\n')
    )
    assert [rule.id for rule in spec.rules] == ["recall", "edges"]
    assert faults(house(EXTENDS + 'without = ["edge", "zzz"]\n')) == [
        "line 5, [annqc], without: there is no inherited rule 'edge'; did you mean 'edges'?",
        (
            "line 5, [annqc], without: there is no inherited rule 'zzz'; "
            "expected one of edges, recall"
        ),
    ]
    assert faults(house(EXTENDS + 'without = ["edges", "recall"]\n')) == [
        "no rule is left, so nothing is asked"
    ]
    assert faults(house('without = "a"\n[[rule]]\nid = "a"\nmeasure = "shift"\n')) == [
        (
            "line 3, [annqc], without: without leaves out rules of the spec that this one "
            "extends, but extends is missing"
        )
    ]


def test_a_rule_that_inherits_nothing_must_be_whole(house):
    assert faults(house(EXTENDS + '[[rule]]\nid = "recal"\nat_least = 0.9\n')) == [
        (
            "line 5, rule 'recal': measure is missing, and no inherited rule has this id; "
            "did you mean 'recall'?"
        )
    ]
    assert faults(house(EXTENDS + '[[rule]]\nid = "zzz"\nat_least = 0.9\n')) == [
        (
            "line 5, rule 'zzz': measure is missing, and no inherited rule has this id; "
            "a new rule needs its measure"
        )
    ]
    dropped = EXTENDS + 'without = "recall"\n[[rule]]\nid = "recall"\nat_least = 0.9\n'
    assert faults(house(dropped)) == [
        "line 6, rule 'recall': measure is missing, and without leaves out what it would change"
    ]


def test_faults_of_a_rule_and_what_it_inherits(house):
    assert faults(house(EXTENDS + '[[rule]]\nid = "recall"\ntolerance = "1 px"\n'))[0].startswith(
        "line 7, rule 'recall', tolerance: recall has no tolerance; it takes by, where"
    )
    text = EXTENDS + '[[rule]]\nid = "recall"\nat_least = 95\nconfidence = 3\n'
    assert faults(house(text)) == [
        (
            "line 7, rule 'recall', at_least: the limit is out of range; "
            "expected a number from 0 to 1; found 95; for 95 % write 0.95"
        ),
        (
            "line 8, rule 'recall', confidence: the confidence level is out of range; "
            "expected a number between 0.5 and 1, such as 0.95; found 3"
        ),
    ]


LIMITS = {"at_least", "at_most", "no_worse_than", "margin"}


@pytest.fixture
def _compared(monkeypatch):
    takes = {
        "share": LIMITS,
        "offset": {"tolerance", "no_worse_than", "margin", "sequential"},
    }
    for name, fields in takes.items():
        limits = ("at_least", "at_most") if name == "share" else ()
        one = Measure(name=name, summary="", assess=None, takes=frozenset(fields), limits=limits)
        monkeypatch.setitem(judge_registry._MEASURES, name, one)


@pytest.mark.usefixtures("_compared")
@pytest.mark.parametrize(
    ("measure", "base", "top", "left"),
    [
        ("share", "at_least = 0.9", "at_most = 1", {"at_most": 1.0}),
        ("share", "at_least = 0.9", 'why = "x"', {"at_least": 0.9, "why": "x"}),
        (
            "share",
            "at_least = 0.9",
            'no_worse_than = "baseline"\nmargin = 0.1',
            {"no_worse_than": "baseline", "margin": 0.1},
        ),
        (
            "share",
            'no_worse_than = "baseline"\nmargin = 0.1',
            "margin = 0.2",
            {"no_worse_than": "baseline", "margin": 0.2},
        ),
        ("share", 'no_worse_than = "baseline"\nmargin = 0.1', "at_least = 0.5", {"at_least": 0.5}),
        (
            "offset",
            'tolerance = "1 px"',
            'no_worse_than = "baseline"',
            {"no_worse_than": "baseline"},
        ),
        (
            "offset",
            'no_worse_than = "baseline"\nmargin = "1 px"',
            'tolerance = "2 px"',
            {"tolerance": Tolerance(px=2, rel=0)},
        ),
    ],
)
def test_a_limit_takes_the_place_of_the_inherited_one(house, measure, base, top, left):
    house(f'[[rule]]\nid = "r"\nmeasure = "{measure}"\n{base}\n', "base.annqc.toml")
    (rule,) = load_spec(house(f'extends = "../base.annqc.toml"\n[[rule]]\nid = "r"\n{top}\n')).rules
    given = {name: getattr(rule, name) for name in rule.__struct_fields__}
    plain = load_spec(
        {"annqc": {"version": 1}, "rule": [{"id": "r", "measure": "share", "at_least": 0}]}
    )
    empty = {name: getattr(plain.rules[0], name) for name in given} | {"at_least": None}
    assert given == empty | {"measure": measure} | left


@pytest.mark.usefixtures("_compared")
def test_an_inherited_sequential_rule_is_not_compared_in_silence(house):
    house('[[rule]]\nid = "r"\nmeasure = "offset"\nsequential = true\n', "base.annqc.toml")
    head = 'extends = "../base.annqc.toml"\n[[rule]]\nid = "r"\nno_worse_than = "baseline"\n'
    assert faults(house(head)) == [
        (
            "line 4, rule 'r': sequential and no_worse_than exclude each other; "
            "a comparison with a baseline is made once"
        )
    ]
    assert not load_spec(house(head + "sequential = false\n")).rules[0].sequential


@pytest.mark.usefixtures("_compared")
def test_an_inherited_comparison_needs_a_baseline(house):
    house('[[rule]]\nid = "r"\nmeasure = "share"\nno_worse_than = "baseline"\n', "base.annqc.toml")
    head = 'extends = "../base.annqc.toml"\n'
    assert load_spec(house(head)).is_profile
    assert faults(house(head + 'gold = "g"\ncandidate = "c"\n')) == [
        (
            "line 1, [annqc]: rule 'r' compares with a baseline, but no baseline is named; "
            'write baseline = "..." in [annqc]'
        )
    ]


def test_chains(house, tmp_path):
    house(
        'extends = "boxes"\ngold = "g.json"\n[[rule]]\nid = "recall"\nat_least = 0.5\n',
        "base.annqc.toml",
    )
    house('extends = "../base.annqc.toml"\nwithout = "mean-iou"\n', "job/mid.annqc.toml")
    top = house('extends = "mid.annqc.toml"\ncandidate = "w"\n[[rule]]\nid = "recall"\nby = []\n')
    spec = load_spec(top)
    recall = next(rule for rule in spec.rules if rule.id == "recall")
    assert (recall.measure, recall.by, recall.at_least) == ("recall", (), 0.5)
    kept = [rule.id for rule in load_spec("boxes").rules if rule.id != "mean-iou"]
    assert [rule.id for rule in spec.rules] == kept
    assert spec.gold == [str(tmp_path / "g.json")]
    assert spec.origins["no-edge-bias"] == str(find_profile("boxes"))
    assert "recall" not in spec.origins
    assert spec.annqc.without == ()


def test_circles(house, tmp_path):
    one = house('extends = "b.annqc.toml"\n', "job/a.annqc.toml")
    two = house('extends = "./c.annqc.toml"\n', "job/b.annqc.toml")
    house('extends = "../job/b.annqc.toml"\n', "job/c.annqc.toml")
    b, c = (str(tmp_path / "job" / f"{name}.annqc.toml") for name in "bc")
    assert faults(one) == [
        (
            f"{c}, line 3, [annqc], extends: the specs extend each other in a circle: "
            f"{b} -> {c} -> {b}"
        )
    ]
    assert faults(two)[0].endswith(f"in a circle: {b} -> {c} -> {b}")
    own = house('extends = "x.annqc.toml"\n')
    assert faults(own) == [
        (f"line 3, [annqc], extends: the specs extend each other in a circle: {own} -> {own}")
    ]


def test_faults_of_both_files_are_told_at_once(house, tmp_path):
    house("[match]\niuo = 1\n[[rule]]\nid = \"a\"\nmeasure = 'x'\n", "base.annqc.toml")
    path = house('extends = "../base.annqc.toml"\n[[rule]]\nid = "a"\nat_most = []\n')
    base = str(tmp_path / "base.annqc.toml")
    first, second, third = faults(path)
    assert first == ("line 6, rule 'a', at_most: wrong kind of value; expected a number; found []")
    assert second == f"{base}, line 4, [match]: there is no field 'iuo'; did you mean 'iou'?"
    assert third.startswith(f"{base}, line 7, rule 'a', measure: there is no measure 'x'")


def test_a_base_that_is_no_toml(house, tmp_path):
    house("x = = 1", "base.annqc.toml")
    path = house('extends = "../base.annqc.toml"\nundecided = 3\n')
    assert faults(path) == [
        "line 4, [annqc], undecided: wrong kind of value; expected a text in quotes; found 3",
        f"{tmp_path / 'base.annqc.toml'}, line 3: this is not TOML: invalid value",
    ]


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("boxs", "there is no profile 'boxs'; expected one of {profiles}; did you mean 'boxes'?"),
        ("../none.toml", "the spec cannot be read; found No such file or directory: {none}"),
        ("no/", "the spec cannot be read; found No such file or directory: {no}"),
        ("..\x00/a", "no path holds a null character; found '..\\x00/a'"),
        ("", "the text is empty"),
    ],
)
def test_what_cannot_be_extended(house, tmp_path, extends, said):
    extends = extends.replace("\x00", "\\u0000")
    (found,) = faults(house(f'extends = "{extends}"\n'))
    expected = said.format(
        profiles=", ".join(profiles()), none=tmp_path / "none.toml", no=tmp_path / "job" / "no"
    )
    assert found.startswith(f"line 3, [annqc], extends: {expected}")


def test_a_folder_cannot_be_extended(house):
    (said,) = faults(house('extends = "../"\n'))
    assert "the spec cannot be read; found Is a directory" in said


def test_folders_and_what_is_seen_from_them_are_inherited(house, tmp_path):
    house('folders = "deliveries/*"\ngold = "g.json"\ncandidate = "w.json"\n', "base.annqc.toml")
    (tmp_path / "deliveries" / "a").mkdir(parents=True)
    head = 'extends = "../base.annqc.toml"\nextra'
    rule = '[[rule]]\nid = "r"\nmeasure = "shift"\n'
    (one,) = load_spec(house(head.replace("extra", 'candidate = "v.json"\n') + rule)).datasets
    delivery = tmp_path / "deliveries" / "a"
    assert one.gold == (str(delivery / "g.json"),)
    assert one.candidate == (str(delivery / "v.json"),)
    # Folders of its own, and the gold that all share from above.
    (tmp_path / "job" / "mine").mkdir()
    spec = load_spec(house(EXTENDS + 'folders = "m*"\n' + rule))
    (one,) = spec.datasets
    assert one.name == "mine"
    assert one.gold == (str(tmp_path / "gold/gold.json"),)
    assert one.candidate == (str(tmp_path / "job/mine/work.json"),)


DATASETS = """
[[dataset]]
name = "a"
candidate = "a.json"
baseline = "run"

[[dataset]]
name = "b"
candidate = "b.json"
gold = "s3://bucket/g"
"""


def test_tables_of_datasets_are_inherited_as_one(house, tmp_path):
    house('gold = "g.json"\n' + DATASETS, "base.annqc.toml")
    head = 'extends = "../base.annqc.toml"\nextra\n[[rule]]\nid = "r"\nmeasure = "shift"\n'
    one, other = load_spec(house(head.replace("extra", ""))).datasets
    assert one.gold == (str(tmp_path / "g.json"),)
    assert (one.candidate, one.baseline) == (
        (str(tmp_path / "a.json"),),
        str(tmp_path / "run"),
    )
    assert other.gold == ("s3://bucket/g",)
    (own,) = load_spec(house(head.replace("extra", 'candidate = "w"'))).datasets
    assert (own.name, own.candidate) == ("", (str(tmp_path / "job/w"),))
    assert own.gold == (str(tmp_path / "g.json"),)
    (mine,) = load_spec(
        house(head.replace("extra", "") + '[[dataset]]\nname = "c"\ncandidate = "c"\n')
    ).datasets
    assert (mine.name, mine.gold) == ("c", (str(tmp_path / "g.json"),))


def test_inherited_tables_may_lack_a_side(house):
    house(DATASETS.replace('gold = "s3://bucket/g"', ""), "base.annqc.toml")
    rule = '[[rule]]\nid = "r"\nmeasure = "shift"\n'
    assert faults(house(f'extends = "../base.annqc.toml"\n{rule}')) == [
        "line 1, [annqc]: gold is missing for the dataset 'a'",
        "line 1, [annqc]: gold is missing for the dataset 'b'",
    ]


def test_own_tables_displace_inherited_folders(house, tmp_path):
    house('folders = "*"\ngold = "/g"\n', "base.annqc.toml")
    rule = '[[rule]]\nid = "r"\nmeasure = "shift"\n'
    table = '[[dataset]]\nname = "c"\ncandidate = "c"\n'
    assert faults(house(f'extends = "../base.annqc.toml"\n{rule}{table}')) == [
        "line 7, dataset 'c': gold is missing, here and in [annqc]"
    ]
    table += 'gold = "g"\n'
    (one,) = load_spec(house(f'extends = "../base.annqc.toml"\n{rule}{table}')).datasets
    assert one.candidate == (str(tmp_path / "job/c"),)
    assert one.gold == (str(tmp_path / "job/g"),)


def test_examples_are_not_inherited(house):
    example = '[[example]]\nname = "e"\nannotators.a = []\nexpect.recall = "pass"\n'
    house(TEAM + example, "base.annqc.toml")
    spec = load_spec(house('extends = "../base.annqc.toml"\ncandidate = "w"\n'))
    assert spec.examples == ()
    own = load_spec(house(f'extends = "../base.annqc.toml"\ncandidate = "w"\n{example}'))
    assert own.examples[0].expect == {"recall": "pass"}


def test_variables_in_what_is_extended(house, tmp_path):
    house(TEAM.replace("gold/gold.json", "${GOLD}"), "base.annqc.toml")
    path = house('extends = "${BASE:-../base.annqc.toml}"\ncandidate = "w"\n')
    assert load_spec(path, environ={"GOLD": "g"}).gold == [str(tmp_path / "g")]
    with pytest.raises(SpecError) as caught:
        load_spec(path, environ={})
    assert f"{tmp_path / 'base.annqc.toml'}, line 3, [annqc], gold: the variable GOLD" in str(
        caught.value
    )


def test_texts_and_mappings_extend_from_here(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = '[annqc]\nversion = 1\nextends = "team.annqc.toml"\ncandidate = "w"\n'
    spec = load_spec(text)
    assert spec.origins == dict.fromkeys(("edges", "recall"), "team.annqc.toml")
    assert spec.gold == [str(tmp_path / "gold/gold.json")]
    assert spec.candidate == ["w"]
    table = {"version": 1, "extends": "boxes", "without": ["recall"]}
    assert len(load_spec({"annqc": table}).rules) == len(load_spec("boxes").rules) - 1


def test_relative_names_stay_relative(house, tmp_path, monkeypatch):
    house(EXTENDS)
    monkeypatch.chdir(tmp_path)
    assert load_spec("job/x.annqc.toml").origins["edges"] == "team.annqc.toml"
    monkeypatch.chdir(tmp_path / "job")
    assert load_spec("x.annqc.toml").origins["edges"] == "../team.annqc.toml"


def test_behind_a_link_the_real_parent_is_meant(house, tmp_path, monkeypatch):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "far" / "team.annqc.toml").write_text(
        TEAM.replace("2 px", "9 px"), encoding="utf-8"
    )
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    house(EXTENDS, "far/away/x.annqc.toml")
    spec = load_spec(tmp_path / "link" / "x.annqc.toml")
    assert spec.rules[0].tolerance == Tolerance(px=9, rel=0)
    assert Path(spec.origins["edges"]).samefile(tmp_path / "far" / "team.annqc.toml")


def test_profiles_are_those_of_the_folder():
    assert list(profiles()) == sorted(
        path.name.removesuffix(".annqc.toml") for path in SPECS.glob("*.annqc.toml")
    )
    assert find_profile("boxes") == SPECS / "boxes.annqc.toml"
    with pytest.raises(UnknownNameError, match="there is no profile 'boxs'"):
        find_profile("boxs")


@pytest.mark.parametrize("name", ["boxes", Path("boxes")])
def test_a_profile_is_loaded_by_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_spec(name).rules == load_spec(SPECS / "boxes.annqc.toml").rules
    assert load_spec(name).path == str(SPECS / "boxes.annqc.toml")
    Path("boxes").mkdir()
    assert load_spec(name).path == str(SPECS / "boxes.annqc.toml")
    Path("boxes").rmdir()
    Path("boxes").write_text(TEAM + '[[rule]]\nid = "z"\nmeasure = "shift"\n', encoding="utf-8")
    with pytest.raises(SpecError, match="names gold but no candidate"):
        load_spec(name)


def test_a_name_that_is_neither_file_nor_profile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match="there is no file and no profile 'boxs'") as caught:
        load_spec("boxs")
    assert caught.value.hint == "did you mean 'boxes'?"
    with pytest.raises(SpecError, match="the spec cannot be read"):
        load_spec("boxs.toml")
    with pytest.raises(SpecError, match="the spec cannot be read"):
        load_spec("no/boxes")
