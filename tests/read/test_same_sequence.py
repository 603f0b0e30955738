"""Files of one sequence in several people's folders are several people's."""

import pytest

from annqc.read import lint, read

LINE = "{},1,10,20,30,40,1,1,1\n"


def write(path, n=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(LINE.format(k) for k in range(1, n + 1)), encoding="utf-8")
    return path


def annotators(data):
    return sorted(data.annotator_ids.tolist())


def test_the_folder_is_the_annotator_where_file_names_are_the_same(tmp_path):
    for who in ("alice", "bob", "eve"):
        write(tmp_path / who / "S1.gt.txt")
    write(tmp_path / "bob" / "S2.gt.txt")
    data = read(tmp_path)
    assert annotators(data) == ["alice", "bob", "eve"]
    assert len(data) == 12
    assert "same_sequence" not in {one.kind for one in data.issues}


def test_one_folder_keeps_its_name(tmp_path):
    write(tmp_path / "S1.gt.txt")
    write(tmp_path / "S2.gt.txt")
    assert annotators(read(tmp_path)) == ["gt"]


def test_what_cannot_be_told_apart_is_listed(tmp_path):
    write(tmp_path / "alice" / "train" / "S1.gt.txt")
    write(tmp_path / "alice" / "val" / "S1.gt.txt")
    data = read(tmp_path)
    assert annotators(data) == ["alice"]
    (found,) = [one for one in data.issues if one.kind == "same_sequence"]
    assert found.severity == "kept"
    assert "2 files are about sequence 'S1' and count as one annotator, 'alice'" in found.message


@pytest.mark.parametrize("rule", ["=ann", "parent"])
def test_what_the_user_says_holds(tmp_path, rule):
    for who in ("alice", "bob"):
        write(tmp_path / who / "S1.gt.txt")
    expected = ["ann"] if rule == "=ann" else ["alice", "bob"]
    assert annotators(read(tmp_path, annotator=rule)) == expected
    assert len(lint(tmp_path, annotator=rule)[lambda t: t["kind"] == "same_sequence"]) == 0
