"""The files that no output may replace."""

from __future__ import annotations

from annqc.testing.inputs import input_files

RULE = '[[rule]]\nid = "r"\nmeasure = "recall"\nat_least = 0.5\n'
SPEC = """
[annqc]
version = 1
extends = "./base.annqc.toml"
baseline = "old.annqc"
gold = "gold.json"
candidate = ["work/*.json", "missing.json"]

[read]
categories = "names.txt"
"""


def _folder(tmp_path, text):
    for name in ("gold.json", "work/1.json", "work/2.json", "names.txt", "old.annqc/run.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "base.annqc.toml").write_text(f"[annqc]\nversion = 1\n{RULE}", encoding="utf-8")
    (tmp_path / "a.annqc.toml").write_text(text, encoding="utf-8")
    return tmp_path / "a.annqc.toml"


def _found(spec, **options):
    files = input_files(spec, **options)
    return {str(one.relative_to(spec.parent)) for one in files if one.is_file()}


def test_everything_that_a_spec_reads(tmp_path):
    assert _found(_folder(tmp_path, SPEC)) == {
        "a.annqc.toml",
        "base.annqc.toml",
        "gold.json",
        "names.txt",
        "old.annqc/run.json",
        "work/1.json",
        "work/2.json",
    }


def test_a_spec_with_faults_still_names_files(tmp_path):
    spec = _folder(tmp_path, SPEC.replace("baseline", "basline"))
    assert {"gold.json", "work/1.json", "names.txt", "base.annqc.toml"} <= _found(spec)
    assert _found(_folder(tmp_path, 'gold = "gold.json')) == {"a.annqc.toml"}
    assert _found(tmp_path / "none.annqc.toml") == set()


def test_data_may_lie_elsewhere(tmp_path):
    spec = _folder(tmp_path, SPEC)
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/gold.json").touch()
    found = _found(spec, root=tmp_path / "moved")
    assert "moved/gold.json" in found
    assert "gold.json" not in found
