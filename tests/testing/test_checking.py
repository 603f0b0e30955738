"""The rules of a spec over its datasets, outside of pytest."""

from __future__ import annotations

import json

import pytest

from annqc.judge import load_spec, register_measure
from annqc.judge.registry import _MEASURES
from annqc.simulate import Habit, simulate
from annqc.testing import checking
from annqc.testing.cache import Cache
from annqc.testing.checking import check_dataset, datasets_of
from annqc.write import write_coco

SPEC = """\
[annqc]
version = 1
gold = "gold.json"
candidate = "work.json"

[[rule]]
id = "bias"
measure = "edge_offset"

[[rule]]
id = "recall"
measure = "recall"
at_least = 0.9
"""


@pytest.fixture
def folder(tmp_path):
    made = simulate({"ann": [], "bob": Habit.loose("right", px=6)}, n_images=30, rng=1)
    write_coco(made.gold, tmp_path / "gold.json")
    write_coco(made.work, tmp_path / "work.json")
    (tmp_path / "a.annqc.toml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def _spec(folder, text=SPEC):
    (folder / "a.annqc.toml").write_text(text, encoding="utf-8")
    return load_spec(folder / "a.annqc.toml")


def test_records_are_those_of_a_judgement(folder):
    spec = _spec(folder)
    checked = check_dataset(spec, spec.datasets[0])
    assert {id: one["outcome"] for id, one in checked.records.items()} == {
        "bias": "fail",
        "recall": "pass",
    }
    assert checked.audited
    assert checked.reused == frozenset()
    assert "bob" in checked.records["bias"]["sentence"]


def test_only_what_is_asked_for_is_checked(folder):
    spec = _spec(folder)
    cache = Cache(folder / "cache", session="1")
    assert list(check_dataset(spec, spec.datasets[0], cache=cache, only=["recall"]).records) == [
        "recall"
    ]
    again = check_dataset(spec, spec.datasets[0], cache=Cache(folder / "cache", session="2"))
    assert again.audited
    assert again.reused == {"recall"}
    assert list(again.records) == ["bias", "recall"]


def test_from_the_cache_nothing_is_audited_and_all_is_the_same(folder, monkeypatch):
    spec = _spec(folder)
    first = check_dataset(spec, spec.datasets[0], cache=Cache(folder / "cache", session="1"))

    def never(*_):
        pytest.fail("the data were audited")

    monkeypatch.setattr(checking, "audit_dataset", never)
    second = check_dataset(spec, spec.datasets[0], cache=Cache(folder / "cache", session="2"))
    assert not second.audited
    assert second.reused == {"bias", "recall"}
    assert second.records == first.records
    same_run = check_dataset(spec, spec.datasets[0], cache=Cache(folder / "cache", session="1"))
    assert same_run.reused == frozenset()


def test_data_that_cannot_be_read_are_errors_and_not_kept(folder):
    spec = _spec(folder)
    whole = (folder / "work.json").read_bytes()
    (folder / "work.json").unlink()
    cache = Cache(folder / "cache", session="1")
    checked = check_dataset(spec, spec.datasets[0], cache=cache)
    assert {one["outcome"] for one in checked.records.values()} == {"error"}
    assert "work.json" in checked.records["bias"]["sentence"]
    assert not checked.audited
    (folder / "work.json").write_bytes(whole)
    assert check_dataset(spec, spec.datasets[0], cache=cache).records["recall"]["outcome"] == "pass"


def test_errors_of_rules_serve_one_run_alone(folder):
    spec = _spec(folder, SPEC + 'by = "vendor"\n')
    one, two = (Cache(folder / "cache", session=name) for name in "12")
    assert check_dataset(spec, spec.datasets[0], cache=one).records["recall"]["outcome"] == "error"
    assert not check_dataset(spec, spec.datasets[0], cache=one).audited
    assert check_dataset(spec, spec.datasets[0], cache=two).audited


def test_data_that_change_while_they_are_read_are_not_kept(folder, monkeypatch):
    spec = _spec(folder)
    audit, before = checking.audit_dataset, (folder / "work.json").read_bytes()

    def meanwhile(spec, dataset):
        emptied = json.loads(before) | {"annotations": []}
        (folder / "work.json").write_text(json.dumps(emptied), encoding="utf-8")
        return audit(spec, dataset)

    cache = Cache(folder / "cache")
    with monkeypatch.context() as patched:
        patched.setattr(checking, "audit_dataset", meanwhile)
        assert (
            check_dataset(spec, spec.datasets[0], cache=cache).records["recall"]["outcome"]
            == "fail"
        )
    (folder / "work.json").write_bytes(before)
    again = check_dataset(spec, spec.datasets[0], cache=cache)
    assert again.audited
    assert again.records["recall"]["outcome"] == "pass"


def test_measures_of_others_are_not_kept(folder, monkeypatch):
    monkeypatch.setattr("annqc.judge.registry._MEASURES", dict(_MEASURES))
    before = dict(_MEASURES)
    recall = before["recall"]

    def mine(measured, rule):
        return recall.assess(measured, rule)

    register_measure("mine", "recall, as we see it", takes=["by"], limits=("at_least",))(mine)
    try:
        spec = _spec(folder, SPEC.replace('measure = "recall"', 'measure = "mine"'))
        cache = Cache(folder / "cache")
        for _ in range(2):
            checked = check_dataset(spec, spec.datasets[0], cache=cache)
            assert checked.audited
            assert checked.records["recall"]["outcome"] == "pass"
        assert len(list((folder / "cache").glob("*/*.json"))) == 1
    finally:
        _MEASURES.pop("mine", None)


def test_a_root_moves_the_data_and_leaves_the_baseline(folder, tmp_path):
    spec = _spec(folder, SPEC.replace("[annqc]", '[annqc]\nbaseline = "old.annqc"'))
    (dataset,) = datasets_of(spec, root=tmp_path / "elsewhere")
    assert dataset.gold == (str(tmp_path / "elsewhere/gold.json"),)
    assert dataset.candidate == (str(tmp_path / "elsewhere/work.json"),)
    assert dataset.baseline == str(folder / "old.annqc")
    assert datasets_of(spec) == spec.datasets


def test_commands_name_the_folder_that_data_are_seen_from(folder, tmp_path, monkeypatch):
    """`annqc audit` sees data from the spec: there it would find others, or none."""
    monkeypatch.chdir(tmp_path)
    spec = _spec(folder)
    root = tmp_path / "my data"
    root.mkdir()
    for name in ("gold.json", "work.json"):
        (folder / name).rename(root / name)
    (dataset,) = datasets_of(spec, root=root)
    cache = Cache(folder / "cache")
    wanted = ["pytest a.annqc.toml::recall --annqc-data-root 'my data'"]
    for _ in range(2):
        checked = check_dataset(spec, dataset, cache=cache, root=root)
        assert checked.records["recall"]["outcome"] == "pass"
        assert checked.records["recall"]["reproduce"] == wanted
    (root / "work.json").unlink()
    lost = check_dataset(spec, dataset, cache=cache, root=root).records["recall"]
    assert (lost["outcome"], lost["reproduce"]) == ("error", wanted)
    assert len(check_dataset(spec, dataset).records["recall"]["reproduce"]) == 2


def test_a_baseline_that_cannot_be_opened_is_an_error_of_its_rule_alone(folder, monkeypatch):
    text = SPEC.replace("[annqc]", '[annqc]\nbaseline = "old.annqc"')
    text += '[[rule]]\nid = "held"\nmeasure = "recall"\nno_worse_than = "baseline"\n'
    spec = _spec(folder, text)
    checking.audit_dataset(spec, spec.datasets[0]).save(folder / "old.annqc")
    opened = type(folder).open

    def refuse(path, *args, **kwargs):
        if path.parent.name == "old.annqc":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(type(folder), "open", refuse)
    cache = Cache(folder / "cache")
    records = check_dataset(spec, spec.datasets[0], cache=cache).records
    assert {id: one["outcome"] for id, one in records.items()} == {
        "bias": "fail",
        "recall": "pass",
        "held": "error",
    }
    assert "Permission denied" in records["held"]["sentence"]


def test_what_reads_the_data_is_part_of_what_is_kept(monkeypatch):
    def digest(changed):
        checking._this_annqc.cache_clear()
        monkeypatch.setattr(checking, "_version", lambda name: "2" if name == changed else "1")
        python = "3.99" if changed == "python" else "3.11"
        monkeypatch.setattr(checking.platform, "python_version", lambda: python)
        return checking._this_annqc()

    names = ["python", "pandas", "msgspec", "shapely", "pycocotools", "opencv-python-headless"]
    assert len({digest(name) for name in ["", *names]}) == len(names) + 1
    checking._this_annqc.cache_clear()
