"""A saved run opens again and answers the same; what is damaged or foreign is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import MISSING, fields, replace

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.ids import ids_array
from annqc.match import MatchPolicy
from annqc.run.audit import Parameters
from annqc.tables import Annotations, Dataset, Images, Problem, Sequences, Shapes, Source
from annqc.write import write_coco


def tables(audit):
    return {
        "pairs": audit.pairs,
        "bias": audit.bias(),
        "strata": audit.bias(by=("annotator", "size")),
        "scores": audit.scores(),
        "errors": audit.errors(),
        "annotations": audit.work.annotations,
        "images": audit.gold.images,
        "problems": audit.work.problems,
    }


def assert_same(first, second):
    other = tables(second)
    for name, frame in tables(first).items():
        pd.testing.assert_frame_equal(frame, other[name], check_exact=True)


def odd_dataset() -> Dataset:
    """Ids of all kinds, extra columns of all kinds, unknown sizes, tracks, crowds."""
    mixed = np.empty(3, dtype=object)
    mixed[:] = [2**70, "a-9", None]
    lists = np.empty(3, dtype=object)
    for k, value in enumerate(([1, 2], [3, 4], [5, 6])):
        lists[k] = value
    return Dataset(
        table=Annotations.build(
            id=mixed,
            image=[0, 1, 1],
            annotator=[0, 1, 1],
            category=[0, 0, 0],
            xyxy=[[0.0, 0, 10, 10], [5, 5, 25, 25], [40, 40, 60, 60.5]],
            track=np.array([0, -1, 1]),
            keyframe=np.array([True, False, True]),
            shapes=Shapes.mixed(
                Shapes.from_rings([[[[0, 0], [10, 0], [0, 10.5]]], [], []]),
                Shapes.from_runs([None, [5, 2, 2, 2, 5], None], [(0, 0), (4, 4), (0, 0)]),
            ),
            crowd=np.array([False, False, True]),
            extra={
                "site": ids_array(["n", "s", "n"]),
                "points": lists,
                "x.y": np.array([0.1, np.nan, 2]),
            },
        ),
        image_table=Images.build(
            ids_array([2**62 + 3, "two"]),
            file_name=ids_array(["ä/1.png", None]),
            extra={"light": np.array(["day", "night"])},
        ),
        annotator_ids=ids_array([569716681169025, 7]),
        category_ids=ids_array([1]),
        category_names=ids_array(["ship"]),
        assigned=np.array([[0, 0], [1, 0], [1, 1]]),
        issues=(
            Problem(
                kind="zero_size",
                severity="dropped",
                source="s",
                where="w",
                message="m",
                image_id=2**62 + 3,
            ),
        ),
        n_rows=4,
    )


def test_a_run_answers_the_same(tmp_path, mixed):
    mixed.save(tmp_path / "run.annqc")
    again = annqc.load(tmp_path / "run.annqc")
    assert_same(mixed, again)
    assert again.parameters == mixed.parameters
    assert mixed.summary() == again.summary()


def test_all_parameters_come_back(tmp_path):
    made = annqc.simulate(["ann"], n_images=8, rng=1)
    audit = annqc.audit(
        made.work,
        made.gold,
        tolerance="3 px",
        confidence=0.9,
        border_px=5,
        method="coco",
        iou=0.6,
        pair_iou=0.2,
        by=("annotator", "category"),
    )
    again = annqc.load(audit.save(tmp_path / "r"))
    assert again.parameters == audit.parameters
    assert again.by == ("annotator", "category")


def test_odd_ids_and_columns_come_back(tmp_path):
    work = odd_dataset()
    audit = annqc.audit(work, replace(work, annotator_ids=ids_array(["g", "h"])))
    again = annqc.load(audit.save(tmp_path / "r"))
    assert_same(audit, again)
    assert again.work.table.id.tolist() == [2**70, "a-9", None]
    assert again.work.annotator_ids.dtype == np.int64
    assert again.work.image_table.id.tolist() == [2**62 + 3, "two"]
    assert again.work.table.extra["points"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert again.work.table.track.tolist() == [0, -1, 1]
    assert again.work.image_table.frame is None
    assert again.work.image_table.extra["light"].tolist() == ["day", "night"]
    assert again.work.issues == work.issues


def test_digests_are_those_of_the_files_that_were_audited(tmp_path):
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    gold = write_coco(made.gold, tmp_path / "gold.json")
    audit = annqc.audit(made.work, gold)
    digest = audit.gold.sources[0].sha256
    audit.save(tmp_path / "r")
    gold.unlink()
    again = annqc.load(tmp_path / "r")
    assert len(digest) == 64
    assert again.gold.sources[0].sha256 == digest
    assert again.gold.sources[0].path == str(gold)
    assert json.loads(again.to_json())["inputs"][0]["sha256"] == digest


def test_a_loaded_run_can_be_saved_again(tmp_path, few):
    again = annqc.load(annqc.load(few.save(tmp_path / "a")).save(tmp_path / "b"))
    assert_same(few, again)


def test_an_earlier_run_is_replaced_and_an_empty_folder_is_taken(tmp_path, few, mixed):
    (tmp_path / "r").mkdir()
    few.save(tmp_path / "r")
    mixed.save(tmp_path / "r")
    assert len(annqc.load(tmp_path / "r").work) == len(mixed.work)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("inside", [("notes.txt",), ("run.json", "notes.txt"), ("gold.npz",)])
def test_a_folder_that_is_something_else_is_not_overwritten(tmp_path, few, inside):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in inside:
        (folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="would be overwritten"):
        few.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(inside)


def test_a_file_and_a_link_are_not_overwritten(tmp_path, few):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(annqc.AnnqcError, match="would be overwritten"):
            few.save(tmp_path / name)


def damage_json(folder):
    (folder / "run.json").write_text('{"format": "annqc-run", "version": 1', encoding="utf-8")


def remove_side(folder):
    (folder / "candidate.npz").unlink()


def cut_side(folder):
    path = folder / "candidate.npz"
    path.write_bytes(path.read_bytes()[:-40])


def swap_sides(folder):
    path = folder / "candidate.npz"
    path.write_bytes((folder / "reference.npz").read_bytes())


def change(key, value):
    def apply(folder):
        path = folder / "run.json"
        described = json.loads(path.read_text(encoding="utf-8"))
        described[key] = value
        path.write_text(json.dumps(described), encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        damage_json,
        remove_side,
        cut_side,
        swap_sides,
        change("parameters", {}),
        change("parameters", None),
        change("sha256", {}),
        change("candidate", {"n_rows": 1}),
        change("by", 7),
    ],
)
def test_a_damaged_run_is_one_clear_error(tmp_path, few, damage):
    folder = few.save(tmp_path / "r")
    damage(folder)
    with pytest.raises(annqc.AnnqcError, match="is damaged") as caught:
        annqc.load(folder)
    assert caught.value.where == str(folder)


def rewrite_side(folder, alter, *, side="candidate", compression=zipfile.ZIP_STORED):
    """Change the arrays of a side, by table and name, and make the digest fit."""
    path, about = folder / f"{side}.npz", folder / "run.json"
    described = json.loads(about.read_text(encoding="utf-8"))
    columns = described[side]["columns"]
    with np.load(path) as packed:
        arrays = {f"{c['table']}.{c['name']}": packed[str(k)] for k, c in enumerate(columns)}
    alter(arrays)
    with zipfile.ZipFile(path, "w", compression) as packed:
        for k, array in enumerate(arrays.values()):
            data = io.BytesIO()
            np.lib.format.write_array(data, np.asarray(array))
            packed.writestr(f"{k}.npy", data.getvalue())
    described["sha256"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    about.write_text(json.dumps(described), encoding="utf-8")


def put(name, value):
    def apply(arrays):
        assert name in arrays
        arrays[name] = value(arrays[name])

    return apply


def test_a_rewritten_side_opens_where_nothing_is_wrong_with_it(tmp_path, few):
    folder = few.save(tmp_path / "r")
    rewrite_side(folder, lambda arrays: None)
    assert_same(few, annqc.load(folder))


def at(value):
    """Set the first entry."""

    def apply(array):
        array = array.copy()
        array[0] = value
        return array

    return apply


@pytest.mark.parametrize(
    "alter",
    [
        put("annotations.image", at(10**6)),
        put("annotations.image", at(-1)),
        put("annotations.annotator", at(2)),
        put("annotations.category", at(-1)),
        put("annotations.source", at(7)),
        put("annotations.xyxy", lambda a: a[:, :3]),
        put("annotations.xyxy", lambda a: a[:-1]),
        put("annotations.xyxy", lambda a: a.astype(np.float32)),
        put("annotations.xyxy", lambda a: a.astype(str)),
        put("annotations.crowd", lambda a: a.astype(np.int64)),
        put("annotations.score", lambda a: a[:0]),
        put("annotations.id", lambda a: a[:3]),
        put("annotations.image", lambda a: a.astype(np.float64)),
        put("images.width", lambda a: a[:2]),
        put("images.id", lambda a: a[0]),
        put(".assigned", lambda a: a[:, 0]),
        put(".assigned", lambda a: a + 1000),
        put(".annotator_ids", lambda a: np.frombuffer(b'[["a"], "b"]', np.uint8)),
        put(".annotator_ids", lambda a: np.frombuffer(b'{"a": 1}', np.uint8)),
        put(".annotator_ids", lambda a: np.frombuffer(b'["a"]', np.uint8)),
        put(".annotator_ids", lambda a: np.frombuffer(b'["a", "a"]', np.uint8)),
        put(".annotator_ids", lambda a: np.frombuffer(b"[" * 100_000, np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_one_clear_error(tmp_path, few, alter):
    folder = few.save(tmp_path / "r")
    rewrite_side(folder, alter)
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


def test_tracks_that_would_need_absurd_memory_are_refused(tmp_path):
    work = odd_dataset()
    audit = annqc.audit(work, replace(work, annotator_ids=ids_array(["g", "h"])))
    folder = audit.save(tmp_path / "r")
    rewrite_side(folder, put("annotations.track", at(2**40)))
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


def test_what_is_packed_small_and_large_when_opened_is_refused(tmp_path, few):
    folder = few.save(tmp_path / "r")
    rewrite_side(folder, lambda arrays: None, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(annqc.AnnqcError, match="packed in another way"):
        annqc.load(folder)


def test_an_array_that_claims_to_be_huge_is_refused_before_it_is_made(tmp_path, few):
    folder = few.save(tmp_path / "r")
    path = folder / "candidate.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
    )
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("0.npy", header.getvalue() + bytes(80))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    old = json.loads((folder / "run.json").read_text(encoding="utf-8"))["sha256"]
    change("sha256", old | {"candidate.npz": digest})(folder)
    with pytest.raises(annqc.AnnqcError, match="not the array that it says it is"):
        annqc.load(folder)


def deep(*keys, value):
    """Change one value inside ``run.json``."""

    def apply(folder):
        path = folder / "run.json"
        described = json.loads(path.read_text(encoding="utf-8"))
        inner = described
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        path.write_text(json.dumps(described), encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        deep("by", value="annotator"),
        deep("by", value=["nonsense"]),
        deep("by", value=[7]),
        deep("parameters", "confidence", value=7),
        deep("parameters", "confidence", value="0.9"),
        deep("parameters", "border_px", value=float("inf")),
        deep("parameters", "tolerance", "px", value=float("nan")),
        deep("parameters", "tolerance", "px", value=-1),
        deep("parameters", "tolerance", value={"px": 0, "rel": 0}),
        deep("parameters", "tolerance", value={"px": 1}),
        deep("parameters", "tolerance", value=[]),
        deep("parameters", "policy", "method", value="magic"),
        deep("parameters", "policy", "iou", value=9),
        deep("candidate", value=[]),
        deep("candidate", "n_rows", value="many"),
        deep("candidate", "n_rows", value=-1),
        deep("candidate", "authors_known", value="yes"),
        deep("candidate", "columns", value=[]),
        deep("candidate", "columns", 0, value=7),
        deep("candidate", "columns", 0, "table", value="nowhere"),
        deep("candidate", "columns", 0, "name", value="nothing"),
        deep("candidate", "columns", 0, "json", value=True),
        deep("candidate", "sources", value=[7]),
        deep("candidate", "sources", value=[{"path": 1, "sha256": None}]),
        deep("candidate", "sources", value=7),
        deep("candidate", "issues", value=["oh"]),
        deep("candidate", "issues", value=[{"kind": "x"}]),
    ],
)
def test_a_description_that_does_not_fit_is_one_clear_error(tmp_path, few, damage):
    folder = few.save(tmp_path / "r")
    damage(folder)
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


def test_a_pipe_is_no_saved_run(tmp_path, few):
    folder = few.save(tmp_path / "r")
    (folder / "candidate.npz").unlink()
    os.mkfifo(folder / "candidate.npz")
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        ("kind", lambda a: np.array([1, 0, 2], dtype=np.int8)),
        ("kind", lambda a: np.array([1, 2, 7], dtype=np.int8)),
        ("kind", lambda a: a.astype(np.int64)),
        ("points", lambda a: a[:2]),
        ("points", lambda a: a.astype(np.float32)),
        ("ring_offsets", lambda a: a + 1),
        ("shape_offsets", lambda a: a[:2]),
        ("shape_offsets", lambda a: np.array([0, 2, 1, 1])),
        ("runs", lambda a: a * 2),
        ("run_offsets", lambda a: a[::-1].copy()),
        ("canvas", lambda a: a * 0),
    ],
)
def test_shapes_that_do_not_hold_together_are_refused(tmp_path, name, alter):
    odd = odd_dataset()
    folder = annqc.Audit(odd, odd).save(tmp_path / "r")
    assert len(annqc.load(folder).reference.table.shapes) == 3
    rewrite_side(folder, put(f"annotations.shapes.{name}", alter))
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


def test_pickles_are_not_opened(tmp_path, few):
    folder = few.save(tmp_path / "r")
    rewrite_side(folder, put("annotations.id", lambda a: np.array([{"a": 1}] * len(a))))
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


def assert_equal(one, other):
    """Compare all fields of a record, whatever they are, in depth."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        for a, b in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True):
            assert a == b or (a != a and b != b)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_equal(one[name], other[name])
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name))
    else:
        assert one == other


def not_default(record):
    """Assert that no field has its default: the test would not see that it was lost."""
    for field in fields(record):
        value, default = getattr(record, field.name), field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        if default is not MISSING and not isinstance(value, np.ndarray):
            assert value != default, f"{type(record).__name__}.{field.name}"


def test_no_field_of_any_table_is_lost(tmp_path):
    """A field that is added to a table must be saved too; here each has an unusual value."""
    odd = odd_dataset()
    sequence = ids_array(["clip", "clip"])
    images = replace(odd.image_table, sequence=sequence, frame=np.array([3, 4]))
    issue = Problem(
        kind="zero_size",
        severity="kept",
        source="s",
        where="w",
        message="m",
        annotation_id=5,
        image_id="i",
        annotator="a",
    )
    source = Source("gone.json", "coco", 5, 77, 99)
    videos = Sequences.build(ids_array(["clip"]), frame_rate=[25.0], first_frame=[3], n_frames=[9])
    work = replace(
        odd,
        image_table=images,
        authors_known=True,
        sources=(source,),
        issues=(issue,),
        n_rows=9,
        track_ids=ids_array([f"track {k}" for k in range(9)]),
        sequence_table=videos,
    )
    policy = MatchPolicy(
        method="coco", iou=0.6, pair_iou=0.2, gate=0.4, ambiguity=0.2, low_overlap=0.7
    )
    rules = Parameters(
        policy=policy,
        tolerance=annqc.Tolerance(px=3.0, rel=0.04),
        confidence=0.9,
        border_px=5.0,
    )
    for record in (work, images, videos, work.table, issue, source, rules, policy, rules.tolerance):
        not_default(record)
    audit = annqc.Audit(replace(work, n_rows=8), work, parameters=rules, by=("category",))
    again = annqc.load(audit.save(tmp_path / "r"))
    for name in ("reference", "candidate", "parameters", "by"):
        assert_equal(getattr(audit, name), getattr(again, name))


def test_authors_of_the_gold_stay_out_of_a_loaded_run(tmp_path, few):
    work, gold = (replace(one, authors_known=True) for one in (few.work, few.gold))
    again = annqc.load(annqc.audit(work, gold).save(tmp_path / "r"))
    assert again.work.authors_known
    assert again.gold.authors_known


@pytest.mark.parametrize("name", ["x#json", "a/b", "../up", "caf\udce9", "file", "a.b.c", ""])
def test_columns_may_have_any_name(tmp_path, few, name):
    extra = {name: np.arange(len(few.work))}
    work = replace(few.work, table=replace(few.work.table, extra=extra))
    again = annqc.load(annqc.audit(work, few.gold).save(tmp_path / "r"))
    assert again.work.table.extra[name].tolist() == extra[name].tolist()


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"format": "other"}'])
def test_what_is_no_saved_run_is_named_as_such(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="no saved run"):
        annqc.load(tmp_path)
    with pytest.raises(annqc.AnnqcError, match="no saved run"):
        annqc.load(tmp_path / "nowhere")


def test_a_run_of_a_later_version_is_refused(tmp_path, few):
    folder = few.save(tmp_path / "r")
    change("version", 99)(folder)
    with pytest.raises(annqc.AnnqcError, match="another version"):
        annqc.load(folder)


def test_a_column_that_cannot_be_saved_is_named(tmp_path):
    made = annqc.simulate(["ann"], n_images=3, rng=1)
    extra = np.array([object()] * len(made.work), dtype=object)
    work = replace(made.work, table=replace(made.work.table, extra={"blob": extra}))
    with pytest.raises(annqc.AnnqcError, match="cannot be saved") as caught:
        annqc.audit(work, made.gold).save(tmp_path / "r")
    assert "blob" in caught.value.where
    assert not list(tmp_path.iterdir())
