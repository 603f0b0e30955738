"""Reading specs: what a good one means, and that a bad one tells all its faults."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc.errors import SpecError
from annqc.judge import Rule, Tolerance, load_spec, measures
from annqc.judge.faults import Places
from annqc.judge.registry import find_measure
from annqc.judge.ruling import takes_words
from annqc.match import MatchPolicy

GOOD = """\
# a comment
[annqc]
version = 1
gold = "gold.json"
candidate = ["vendor/*.json", "more.json"]
annotator = "stem"

[match]
iou = 0.6
method = "coco"

[[rule]]
id = "no-edge-bias"
measure = "edge_offset"
by = ["annotator", "category"]
where = { category = "person", size = ["small", "large"] }
tolerance = "3 %"
confidence = 0.9

[[rule]]
id = "recall"
measure = "recall"
at_least = 1
"""


def limits_words(measure: str) -> str:
    *most, last = find_measure(measure).takes & {"at_least", "at_most", "no_worse_than"}
    *most, last = sorted((*most, last))
    return f"{', '.join(most)} or {last}"


PROFILE = Path(annqc.__file__).parents[1] / "specs" / "boxes.annqc.toml"


def faults(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(text)
    head, *lines = str(caught.value).splitlines()
    assert head.startswith("<spec>: the spec has ")
    return [line.strip() for line in lines]


def test_everything_that_can_be_said(tmp_path):
    path = tmp_path / "x.annqc.toml"
    path.write_text(GOOD, encoding="utf-8")
    spec = load_spec(path)
    assert spec.match == MatchPolicy(iou=0.6, method="coco")
    assert spec.annqc.annotator == "stem"
    edges, recall = spec.rules
    assert edges == Rule(
        id="no-edge-bias",
        measure="edge_offset",
        by=("annotator", "category"),
        where={"category": ("person",), "size": ("small", "large")},
        tolerance=Tolerance(px=0, rel=0.03),
        confidence=0.9,
    )
    assert edges.columns == ("annotator", "category", "size")
    assert recall.at_least == 1.0
    assert recall.by == ("annotator",)
    assert spec.lines == {"no-edge-bias": 12, "recall": 20}
    assert not spec.is_profile


def test_text_mapping_and_spec_mean_the_same():
    from_text = load_spec(GOOD)
    assert load_spec(tomllib.loads(GOOD)).rules == from_text.rules
    assert load_spec(from_text) is from_text


def test_paths_are_seen_from_the_folder_of_the_spec(tmp_path, monkeypatch):
    folder = tmp_path / "odd [name]"
    folder.mkdir()
    (folder / "x.annqc.toml").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(folder)
    spec = load_spec("x.annqc.toml")
    monkeypatch.chdir(tmp_path)
    assert spec.path == "x.annqc.toml"
    spec = load_spec(str(folder / "x.annqc.toml"))
    assert spec.gold == [str(folder / "gold.json")]
    pattern, plain = spec.candidate
    assert pattern == str(tmp_path / "odd [[]name]" / "vendor/*.json")
    assert plain == str(folder / "more.json")
    there = folder / "more.json"
    spec = load_spec(tomllib.loads(GOOD))
    assert spec.gold == ["gold.json"]
    assert there.parent == folder


def test_paths_that_stand_alone_stay(tmp_path):
    path = tmp_path / "x.annqc.toml"
    other = tmp_path / "else" / "gold.json"
    text = GOOD.replace('"gold.json"', f"['{other}', 's3://bucket/gold.json']")
    path.write_text(text, encoding="utf-8")
    assert load_spec(path).gold == [str(other), "s3://bucket/gold.json"]


def test_all_faults_at_once_with_lines_and_suggestions():
    found = faults("""\
[annqc]
verson = 1
gold = 3

[match]
iuo = 0.5
iou = 7
method = "optimum"

[[rule]]
id = "No bias"
measure = "edge_ofset"

[[rule]]
id = "a"
measure = "recall"
at_least = 95
tolerance = "2 px"

[[rule]]
id = "a"
measure = "edge_offset"
tolerance = "2"
confidence = 95
wher = {}
by = ["annotator", 3]

[[rule]]
measure = "precision"

[[rules]]
""")
    names = ", ".join(sorted(measures()))
    expected = (
        ("line 1, [annqc]", "version is missing; write version = 1"),
        (
            "line 1",
            "[annqc] names gold but no candidate; a test needs both, a profile neither",
        ),
        ("line 2, [annqc]", "there is no field 'verson'; did you mean 'version'?"),
        (
            "line 3, [annqc], gold",
            "wrong kind of value; expected a path or a list of paths, in quotes; found 3",
        ),
        ("line 6, [match]", "there is no field 'iuo'; did you mean 'iou'?"),
        (
            "line 7, [match], iou",
            (
                "the match parameter iou is out of range; "
                "expected a number above 0 and up to 1; found 7.0"
            ),
        ),
        (
            "line 8, [match], method",
            (
                "there is no match method 'optimum'; "
                "expected one of coco, cvat-2026, cvat-classic, optimal; did you mean 'optimal'?"
            ),
        ),
        (
            "line 11, rule 'No bias', id",
            (
                "this cannot be the id of a rule; "
                "expected lower-case letters, digits, '-', '_' and '.', "
                "such as 'no-edge-bias'; found 'No bias'"
            ),
        ),
        (
            "line 12, rule 'No bias', measure",
            (
                f"there is no measure 'edge_ofset'; expected one of {names}; "
                "did you mean 'edge_offset'?"
            ),
        ),
        (
            "line 17, rule 'a', at_least",
            (
                "the limit is out of range; expected a number from 0 to 1; found 95; "
                "for 95 % write 0.95"
            ),
        ),
        (
            "line 18, rule 'a', tolerance",
            f"recall has no tolerance; it takes {takes_words(find_measure('recall'))}",
        ),
        ("line 21, rule 'a'", "this id is taken on line 15"),
        (
            "line 23, rule 'a', tolerance",
            (
                "cannot read the tolerance '2'; expected '2 px', '3 %' or 'max(1 px, 2 %)'; "
                "found '2'; a number needs its unit, px or %"
            ),
        ),
        (
            "line 24, rule 'a', confidence",
            (
                "the confidence level is out of range; "
                "expected a number between 0.5 and 1, such as 0.95; found 95"
            ),
        ),
        ("line 25, rule 'a'", "there is no field 'wher'; did you mean 'where'?"),
        (
            "line 26, rule 'a', by",
            (
                "wrong kind of value; expected a column or a list of columns, in quotes; "
                "found ['annotator', 3]"
            ),
        ),
        ("line 28, rule 4", "id is missing"),
        (
            "line 28, rule 4",
            f"precision needs a limit, {limits_words('precision')}; found none of them",
        ),
        ("line 31, the spec", "there is no table 'rules'; did you mean 'rule'?"),
    )
    assert found == [f"{where}: {text}" for where, text in expected]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\n", "there is no table [annqc]; start with [annqc] and version = 1"),
        ("[annqc]\nversion = 1\n", "there is no [[rule]], so nothing is asked"),
        ("[annqc]\nversion = 2\n", "line 2, [annqc], version: this version is not known"),
        ("[annqc]\nversion = true\n", "line 2, [annqc], version: this version is not known"),
        ("annqc = 3\n", "line 1, [annqc]: expected a table, found 3"),
        ("[rule]\nid = 'a'\n", "line 1, rule: every rule starts with [[rule]]"),
        ("rule = ['a']\n", "line 1, rule 1: expected a table, found 'a'"),
        ("[annqc]\nversion = = 1\n", "line 2: this is not TOML: invalid value"),
        ("[annqc]\nversion = 1\n[match]\niou = '''\n", "line 4: this is not TOML"),
        ("[[rule]]\nid = ''\n", "line 2, rule '', id: the text is empty"),
        ("[[rule]]\nby = 'a,a'\n", "line 2, rule 1, by: 'a' is named more than once"),
        ("[[rule]]\nwhere = 3\n", "line 2, rule 1, where: wrong kind of value"),
        ("[[rule]]\n[rule.where]\nx = {}\n", "line 2, rule 1, where: wrong kind of value"),
    ],
)
def test_a_single_fault(text, fault):
    assert any(line.startswith(fault) for line in faults(text))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"measure": "recall", "at_least": 0.9, "at_most": 1}, "found at_least and at_most"),
        ({"measure": "unusable_rows"}, "unusable_rows needs a limit, at_most; found nothing"),
        ({"measure": "unusable_rows", "at_most": -1}, "expected 0 or more; found -1"),
        ({"measure": "unusable_rows", "at_most": 1, "by": "annotator"}, "has no by"),
        ({"measure": "recall", "at_least": float("nan")}, "the limit is out of range"),
        ({"measure": "recall", "at_least": True}, "expected a number; found true"),
        ({"measure": "shift", "by": ["annotator", "category"]}, "use edge_offset"),
        ({"measure": "growth", "where": {"category": "x"}}, "use edge_offset"),
        (
            {"measure": "shift", "tolerance": 2},
            "a tolerance needs its unit, px or %; expected '2 px' or '2 %'; found 2",
        ),
        ({"measure": "shift", "tolerance": "0 px"}, "expected a tolerance above zero"),
    ],
)
def test_a_rule_that_cannot_be_meant(rule, fault):
    with pytest.raises(SpecError, match="1 fault") as caught:
        load_spec({"annqc": {"version": 1}, "rule": [{"id": "x", **rule}]})
    assert fault in str(caught.value)


@pytest.mark.parametrize("measure", ["shift", "growth"])
@pytest.mark.parametrize("by", [["annotator"], ["category"], ["category", "size"], []])
def test_shift_and_growth_by_one_kind_of_column(measure, by):
    spec = load_spec({"annqc": {"version": 1}, "rule": [{"id": "x", "measure": measure, "by": by}]})
    assert spec.rules[0].by == tuple(by)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / "none.annqc.toml")
    latin = tmp_path / "latin.annqc.toml"
    latin.write_bytes("# Prüfung\n".encode("latin-1"))
    with pytest.raises(SpecError, match="not UTF-8"):
        load_spec(latin)
    with pytest.raises(SpecError, match="file, TOML text or a mapping"):
        load_spec(3)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "x.annqc.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert len(load_spec(path).rules) == 2


def test_the_profile_is_sound_and_names_no_files():
    spec = load_spec(PROFILE)
    assert spec.is_profile
    assert {rule.measure for rule in spec.rules} == {
        "edge_offset",
        "recall",
        "precision",
        "label_accuracy",
        "mean_iou",
        "unusable_rows",
        "missing_images",
    }
    assert spec.match == MatchPolicy(iou=0.5)


def test_places_in_awkward_texts():
    places = Places(
        'top.key = 1\n[annqc]\nversion = 1 # [[rule]]\ntext = """\n[[rule]]\nid = 3\n"""\n'
        '[[rule]] # one\n"id" = 1\n[rule.where]\n category = [\n "x",\n]\n[[rule]]\nid = 2\n'
    )
    assert places.line("top", "key") == 1
    assert places.line("rule", 0) == 8
    assert places.line("rule", 0, "id") == 9
    assert places.line("rule", 0, "where", "category") == 11
    assert places.line("rule", 1, "id") == 15
    assert places.line("rule", 1, "by") == 14
    assert places.line("match") is None


KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)


@given(
    st.dictionaries(KEYS, st.integers(), max_size=4),
    st.lists(st.dictionaries(KEYS, st.text("ab#[]= ", max_size=6), max_size=4), max_size=4),
    st.integers(0, 3),
)
def test_places_agree_with_the_parser(header, rules, blank):
    gap = "\n" * blank
    text = gap + "[annqc]\n" + "".join(f"{key} = {value}\n" for key, value in header.items())
    for rule in rules:
        text += gap + "[[rule]]\n" + "".join(f"{key} = {value!r}\n" for key, value in rule.items())
    table, lines, places = tomllib.loads(text), text.splitlines(), Places(text)
    for key, value in table["annqc"].items():
        assert lines[places.line("annqc", key) - 1] == f"{key} = {value}"
    for at, rule in enumerate(table.get("rule", [])):
        for key, value in rule.items():
            assert lines[places.line("rule", at, key) - 1] == f"{key} = {value!r}"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["annqc", "match", "rule"]),
    st.sampled_from(["id", "measure", "by", "where", "tolerance", "confidence", "at_least", "iou"]),
)
def test_anything_is_read_or_refused_as_a_spec(value, table, field):
    rule = {"id": "x", "measure": "recall", "at_least": 0.5}
    good = {"annqc": {"version": 1}, "match": {}, "rule": [rule]}
    for bad in (value, [value], {field: value}, [{**rule, field: value}]):
        try:
            spec = load_spec(good | {table: bad})
        except SpecError:
            continue
        assert spec.rules


def test_structs_have_a_json_schema():
    assert msgspec.json.schema(Rule)["$defs"]["Rule"]["additionalProperties"] is False


def test_a_spec_path_may_be_any_path_like(tmp_path):
    path = tmp_path / "x.annqc.toml"
    path.write_text(GOOD, encoding="utf-8")

    class Mine(os.PathLike):
        def __fspath__(self):
            return str(path)

    assert load_spec(Mine()).path == str(path)


def test_three_hundred_rules_are_read_in_a_blink():
    rule = 'measure = "recall"\nby = ["annotator", "category"]\nwhere = {{ category = "c{0}" }}\n'
    rules = (f'[[rule]]\nid = "r{k}"\nat_least = 0.9\n{rule.format(k)}' for k in range(300))
    text = "[annqc]\nversion = 1\n" + "".join(rules)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        spec = load_spec(text)
        seconds.append(time.process_time() - start)
    assert len(spec.rules) == 300
    assert min(seconds) < 0.1


def test_reading_a_spec_loads_nothing_heavy():
    code = (
        "import sys; from annqc.judge.spec import load_spec; load_spec('boxes').datasets; "
        "print({'numba', 'pandas', 'scipy', 'cv2', 'shapely'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    "number", ["9" * 5000, "0x" + "f" * 5000, str(1 << 64), f"[1, [{1 << 70}]]"]
)
def test_a_number_that_is_too_large_is_a_fault(number):
    text = f'[annqc]\nversion = 1\n[[rule]]\nid = "r"\nat_least = {number}\n'
    (fault,) = faults(text)
    assert fault.endswith("a number is too large; whole numbers have at most 64 bits")
    assert fault.startswith("line 5: ")


def test_a_device_is_no_spec(tmp_path):
    """A pipe would keep the reader waiting, and a device may have no end."""
    (tmp_path / "x.annqc.toml").symlink_to(os.devnull)
    (tmp_path / "y.annqc.toml").write_text(
        '[annqc]\nversion = 1\nextends = "./x.annqc.toml"\n', encoding="utf-8"
    )
    for name in "xy":
        with pytest.raises(SpecError, match="no file but a pipe or a device"):
            load_spec(tmp_path / f"{name}.annqc.toml")
