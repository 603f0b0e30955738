"""Several datasets in one spec: tables, folders, and what is missing."""

from __future__ import annotations

import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.judge import load_spec
from annqc.judge.model import DatasetSpec

RULE = '[[rule]]\nid = "r"\nmeasure = "recall"\nat_least = 0.5\n'


def written(tmp_path, head: str, tables: str = ""):
    path = tmp_path / "x.annqc.toml"
    path.write_text(f"[annqc]\nversion = 1\n{head}\n{RULE}{tables}", encoding="utf-8")
    return path


def faults(path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_the_only_dataset_has_no_name(tmp_path):
    head = 'gold = "g.json"\ncandidate = ["a", "b"]\nannotator = "stem"\nbaseline = "run"'
    spec = load_spec(written(tmp_path, head))
    one = DatasetSpec(
        name="",
        gold=(str(tmp_path / "g.json"),),
        candidate=(str(tmp_path / "a"), str(tmp_path / "b")),
        annotator="stem",
        baseline=str(tmp_path / "run"),
    )
    assert spec.datasets == (one,)
    assert spec.dataset("") == one
    assert not spec.is_profile


def test_a_profile_has_no_dataset(tmp_path):
    spec = load_spec(written(tmp_path, 'annotator = "stem"'))
    assert spec.is_profile
    assert spec.datasets == ()
    assert spec.gold == spec.candidate == []


TABLES = """
[[dataset]]
name = "a"
candidate = "a/*.json"

[[dataset]]
name = "b.2"
gold = "/data/gold.json"
candidate = ["s3://bucket/b.json"]
annotator = "parent"
baseline = "run-b"
"""


def test_tables_fall_back_on_the_header(tmp_path):
    path = written(tmp_path, 'gold = "g.json"\nannotator = "stem"\nbaseline = "run"', TABLES)
    spec = load_spec(path)
    assert spec.datasets == (
        DatasetSpec(
            name="a",
            gold=(str(tmp_path / "g.json"),),
            candidate=(str(tmp_path / "a/*.json"),),
            annotator="stem",
            baseline=str(tmp_path / "run"),
        ),
        DatasetSpec(
            name="b.2",
            gold=("/data/gold.json",),
            candidate=("s3://bucket/b.json",),
            annotator="parent",
            baseline=str(tmp_path / "run-b"),
        ),
    )
    assert spec.dataset("b.2") == spec.datasets[1]
    assert not spec.is_profile
    assert spec.gold == spec.candidate == []
    with pytest.raises(UnknownNameError, match="there is no dataset 'b2'") as caught:
        spec.dataset("b2")
    assert caught.value.hint == "did you mean 'b.2'?"
    assert caught.value.expected == "one of a, b.2"


def test_faults_of_tables(tmp_path):
    path = written(
        tmp_path,
        "",
        """
[[dataset]]
name = "Vendor A"
gold = 3

[[dataset]]
name = "a"
gold = "g"
candiate = "c"

[[dataset]]
name = "a"

[[dataset]]
gold = "g"
candidate = "c"
""",
    )
    assert faults(path) == [
        "line 9, dataset 'Vendor A': candidate is missing, here and in [annqc]",
        (
            "line 10, dataset 'Vendor A', name: this cannot be the name of a dataset; "
            "expected lower-case letters, digits, '-', '_' and '.', such as 'vendor-a'; "
            "found 'Vendor A'"
        ),
        (
            "line 11, dataset 'Vendor A', gold: wrong kind of value; "
            "expected a path or a list of paths, in quotes; found 3"
        ),
        "line 13, dataset 'a': candidate is missing, here and in [annqc]",
        "line 16, dataset 'a': there is no field 'candiate'; did you mean 'candidate'?",
        "line 18, dataset 'a': gold is missing, here and in [annqc]",
        "line 18, dataset 'a': candidate is missing, here and in [annqc]",
        "line 19, dataset 'a': this name is taken on line 14",
        "line 21, dataset 4: name is missing",
    ]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            'gold = "g"',
            "[annqc] names gold but no candidate; a test needs both, a profile neither",
        ),
        (
            'candidate = "c"',
            "[annqc] names candidate but no gold; a test needs both, a profile neither",
        ),
        (
            'folders = "*"\ngold = "g"',
            "[annqc] names gold but no candidate; a test needs both, a profile neither",
        ),
    ],
)
def test_a_side_is_missing(tmp_path, head, said):
    assert faults(written(tmp_path, head)) == [f"line 1: {said}"]


def test_folders_alone_name_no_files(tmp_path):
    assert faults(written(tmp_path, 'folders = "*"')) == [
        "line 1: [annqc] names folders but no gold; a test needs both, a profile neither",
        "line 1: [annqc] names folders but no candidate; a test needs both, a profile neither",
    ]


def test_folders_and_tables(tmp_path):
    head = 'folders = "*"\ngold = "g"\ncandidate = "c"'
    assert faults(written(tmp_path, head, TABLES)) == [
        (
            "line 3, [annqc], folders: folders and [[dataset]] both say what the datasets are; "
            "keep one of them"
        )
    ]


FOLDERS = 'folders = "deliveries/*"\ngold = "../gold.json"\ncandidate = "work/*.json"\n'


def test_each_folder_is_a_dataset(tmp_path, monkeypatch):
    root = tmp_path / "odd [x]"
    for name in ("b", "Week 03", "_a.1"):
        (root / "deliveries" / name).mkdir(parents=True)
    (root / "deliveries" / "notes.txt").touch()
    path = written(root, FOLDERS + 'baseline = "run"\nannotator = "=me"')
    spec = load_spec(path)
    base = str(root / "deliveries")
    assert [one.name for one in spec.datasets] == ["week-03", "a.1", "b"]
    week = spec.dataset("week-03")
    assert week.gold == (f"{base}/Week 03/../gold.json",)
    # A pattern is used as such, so what the folder is called must not be part of it.
    assert week.candidate == (
        str(tmp_path / "odd [[]x]" / "deliveries" / "Week 03" / "work/*.json"),
    )
    assert (week.annotator, week.baseline) == ("=me", f"{base}/Week 03/run")
    monkeypatch.chdir(root)
    assert load_spec("x.annqc.toml").datasets == spec.datasets
    assert spec.gold == spec.candidate == []
    assert not spec.is_profile
    (root / "deliveries" / "c").mkdir()
    assert len(spec.datasets) == 4


def test_absolute_paths_are_the_same_for_every_folder(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    head = 'folders = "[ab]"\ngold = "/data/gold.json"\ncandidate = "w.json"'
    one, other = load_spec(written(tmp_path, head)).datasets
    assert one.gold == other.gold == ("/data/gold.json",)
    assert one.candidate == (str(tmp_path / "a" / "w.json"),)
    assert other.candidate == (str(tmp_path / "b" / "w.json"),)


def test_folders_at_any_depth(tmp_path):
    for name in ("a/work", "b/c/work"):
        (tmp_path / name).mkdir(parents=True)
    spec = load_spec(written(tmp_path, FOLDERS.replace("deliveries/*", "**/c/")))
    assert [one.name for one in spec.datasets] == ["c"]


def test_no_folder_is_told_when_the_datasets_are_asked_for(tmp_path):
    spec = load_spec(written(tmp_path, FOLDERS))
    with pytest.raises(SpecError, match="no folder matches") as caught:
        _ = spec.datasets
    assert caught.value.where == spec.path
    assert caught.value.found == str(tmp_path / "deliveries/*")


def test_two_folders_of_one_name(tmp_path):
    for name in ("a b", "A-b"):
        (tmp_path / "deliveries" / name).mkdir(parents=True)
    spec = load_spec(written(tmp_path, FOLDERS))
    with pytest.raises(SpecError, match="two folders would both be the dataset 'a-b'") as caught:
        _ = spec.datasets
    base = tmp_path / "deliveries"
    assert caught.value.found == f"{base / 'A-b'} and {base / 'a b'}"


def test_a_spec_that_is_no_file_sees_paths_from_here(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    rule = {"id": "r", "measure": "recall", "at_least": 1}
    header = {"version": 1, "folders": "*", "gold": "g", "candidate": "c"}
    (one,) = load_spec({"annqc": header, "rule": [rule]}).datasets
    assert one == DatasetSpec(name="x", gold=("x/g",), candidate=("x/c",))


COMPARED = '[[rule]]\nid = "kept"\nmeasure = "shared"\nno_worse_than = "baseline"\n'


@pytest.fixture
def _shared(monkeypatch):
    from annqc.judge import registry
    from annqc.judge.registry import Measure

    takes = frozenset({"at_least", "no_worse_than"})
    one = Measure(name="shared", summary="", assess=None, takes=takes, limits=("at_least",))
    monkeypatch.setitem(registry._MEASURES, "shared", one)


@pytest.mark.usefixtures("_shared")
def test_a_baseline_must_be_named_where_there_is_data(tmp_path):
    missing = 'no baseline is named; write baseline = "..." in [annqc]'
    data = 'gold = "g"\ncandidate = "c"'
    assert load_spec(written(tmp_path, "", COMPARED)).is_profile
    assert load_spec(written(tmp_path, f'{data}\nbaseline = "run"', COMPARED)).datasets
    assert faults(written(tmp_path, data, COMPARED)) == [
        f"line 12, rule 'kept', no_worse_than: {missing}"
    ]
    own = TABLES.replace('"a/*.json"', '"a/*.json"\nbaseline = "run-a"')
    assert load_spec(written(tmp_path, 'gold = "g"', COMPARED + own)).datasets
    assert faults(written(tmp_path, 'gold = "g"', COMPARED + TABLES)) == [
        f"line 11, rule 'kept', no_worse_than: {missing}"
    ]


SHARED = """
[[dataset]]
name = "a"
candidate = "a"

[[dataset]]
name = "b"
candidate = "b"
"""


def test_datasets_that_would_share_a_baseline_are_a_fault(tmp_path):
    """Else the run of one would be saved over that of the other."""
    text = (
        "the datasets 'a' and 'b' would share one baseline; "
        "give each dataset its own baseline, or use folders"
    )
    head = 'gold = "g"\nbaseline = "run"'
    assert faults(written(tmp_path, head, SHARED)) == [f"line 14, dataset 'b', baseline: {text}"]
    own = SHARED.replace('"b"\n', '"b"\nbaseline = "x/../run"\n', 1)
    assert faults(written(tmp_path, head, own)) == [f"line 16, dataset 'b', baseline: {text}"]
    other = own.replace("x/../run", "other")
    assert [one.baseline for one in load_spec(written(tmp_path, head, other)).datasets] == [
        str(tmp_path / "run"),
        str(tmp_path / "other"),
    ]
    below = tmp_path / "below.annqc.toml"
    base = written(tmp_path, 'gold = "g"', SHARED).name
    below.write_text(
        f'[annqc]\nversion = 1\nextends = "./{base}"\nbaseline = "run"\n', encoding="utf-8"
    )
    assert faults(below) == [f"line 4, [annqc], baseline: {text}"]


def test_folders_need_a_baseline_each(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    head = 'gold = "g"\ncandidate = "w"\nfolders = "[ab]"\nbaseline = '
    fault = "every folder would have this one baseline; give a path that is seen from each of the"
    for path in (tmp_path / "run", "~/run"):
        found = faults(written(tmp_path, f"{head}'{path}'"))
        assert found == [f"line 6, [annqc], baseline: {fault} folders"]
    with pytest.raises(SpecError, match="datasets 'a' and 'b' would share one baseline"):
        _ = load_spec(written(tmp_path, head + '"../run"')).datasets
    assert len(load_spec(written(tmp_path, head + '"run"')).datasets) == 2
