"""A piece of a delivery is what an audit of that piece alone would be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc.ids import ids_array
from annqc.run.scorecard.labels import OPEN, UNSAID, label_of
from annqc.run.scorecard.units import NOT_SAID, cut
from annqc.tables import Annotations, Dataset, Images, Problem
from annqc.write import write_coco
from tests.run.scorecard_deliveries import audited, by_vendor, vendor_of


def alone(audit, vendor):
    """Audit the work of a vendor against the whole gold, cut out the plain way."""
    work = audit.work
    mine = [name for name in work.annotator_ids.tolist() if vendor_of(name) == vendor]
    old = [k for k, name in enumerate(work.annotator_ids.tolist()) if name in mine]
    code = dict(zip(old, range(len(old)), strict=True))
    rows = [k for k, a in enumerate(work.table.annotator.tolist()) if a in code]
    table = work.table.take(np.array(rows))
    table = replace(table, annotator=np.array([code[a] for a in table.annotator.tolist()]))
    asked = [[code[a], i] for a, i in work.assigned.tolist() if a in code]
    part = replace(work, table=table, annotator_ids=ids_array(mine), assigned=np.array(asked))
    return annqc.audit(part, audit.gold)


def same(found, wanted):
    """Whether two tables of columns hold the same, NaN for NaN."""
    assert found.keys() == wanted.keys()
    for name, column in wanted.items():
        if column.dtype.kind == "f":
            np.testing.assert_allclose(found[name], column, rtol=1e-9, atol=1e-12, err_msg=name)
        else:
            assert found[name].tolist() == column.tolist(), name


@pytest.mark.parametrize("vendor", ["good", "loose", "tiny"])
@pytest.mark.parametrize("by", [(), ("annotator",), ("category",)])
def test_sums_and_findings_are_those_of_an_audit_of_the_piece(vendor, by):
    unit = next(one for one in cut(audited(), vendor="site").units if one.vendor == vendor)
    wanted = alone(by_vendor(), vendor)
    same(unit.run.score_columns(by), wanted.score_columns(by))
    same(unit.run.bias_columns(by), wanted.bias_columns(by))


def test_a_column_a_list_and_the_annotator_give_the_same_pieces(tmp_path):
    audit = audited()
    names = audit.work.annotator_ids.tolist()
    lines = ["annotator;vendor;batch", *(f"{one};{vendor_of(one)};1" for one in names)]
    path = tmp_path / "roster.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    by_list, by_column = cut(audit, vendor=str(path)), cut(audit, vendor="site")
    assert [one.vendor for one in by_list.units] == [one.vendor for one in by_column.units]
    assert {one.batch for one in by_list.units} == {"1"}
    for one, other in zip(by_list.units, by_column.units, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        same(one.run.score_columns(()), other.run.score_columns(()))
    single = cut(audit, vendor="annotator").units
    assert [one.vendor for one in single] == sorted(names)


def test_every_row_and_every_task_is_in_one_piece():
    audit = audited()
    units = cut(audit, vendor="site").units
    rows = sorted(row for one in units for row in one.rows.tolist())
    assert rows == list(range(len(audit.work)))
    assert sum(one.run.matches.n_tasks for one in units) == audit.matches.n_tasks
    wanted = audit.score_columns(())["n_missed"][0]
    assert sum(one.run.score_columns(())["n_missed"][0] for one in units) == wanted


def small(cells, assigned=None, extra_images=None, issues=()):
    """Make a work of two annotators on four images, a box where there is a cell."""
    rows = [(a, i, cell) for (a, i), cell in cells.items()]
    table = Annotations.build(
        image=[i for _, i, _ in rows],
        annotator=[a for a, _, _ in rows],
        category=[0] * len(rows),
        xyxy=[[10, 10, 50, 50]] * len(rows),
        extra={"lot": np.array([cell for _, _, cell in rows], dtype=object)},
    )
    images = Images.build(ids_array(list("wxyz")), extra=extra_images or {})
    return Dataset(
        table=table,
        image_table=images,
        annotator_ids=ids_array(["ann", "bob"]),
        category_ids=ids_array(["car"]),
        category_names=ids_array(["car"]),
        assigned=None if assigned is None else np.array(assigned),
        issues=issues,
        n_rows=len(rows) + len(issues),
    )


def gold():
    table = Annotations.build(
        image=range(4), annotator=[0] * 4, category=[0] * 4, xyxy=[[10, 10, 50, 50]] * 4
    )
    names = {"category_ids": ids_array(["car"]), "category_names": ids_array(["car"])}
    images = Images.build(ids_array(list("wxyz")))
    return Dataset(table=table, image_table=images, annotator_ids=ids_array(["g"]), **names)


def test_what_was_asked_for_and_not_drawn_goes_where_the_annotator_works():
    asked = [[0, 0], [0, 1], [0, 2], [1, 2], [1, 3]]
    work = small({(0, 0): "a", (0, 1): "a", (1, 3): "b"}, asked)
    units = cut(annqc.audit(work, gold()), vendor="lot").units
    found = [(one.vendor, one.n_asked, one.n_drawn_on) for one in units]
    assert found == [("a", 3, 2), ("b", 2, 1)]
    assert [one.run.score_columns(())["n_missed"][0] for one in units] == [1, 1]


def test_what_nothing_tells_is_on_no_page_and_said():
    asked = [[0, 0], [0, 1], [0, 2]]
    work = small({(0, 0): "a", (0, 1): "b"}, asked)
    found = cut(annqc.audit(work, gold()), vendor="lot")
    assert [one.n_asked for one in found.units] == [1, 1]
    assert any(note.startswith("1 image that an annotator was asked for") for note in found.notes)
    assert any(note.startswith("1 gold image that nobody") for note in found.notes)


def test_rows_without_a_vendor_have_a_page_of_their_own():
    work = small({(0, 0): "a", (0, 1): None, (0, 2): float("nan"), (1, 3): " "})
    units = cut(annqc.audit(work, gold()), vendor="lot").units
    assert {one.vendor: len(one.rows) for one in units} == {"a": 1, NOT_SAID: 3}


def test_a_column_of_the_images_tells_batches_of_work_not_drawn():
    column = {"lot2": np.array(["b9", "b9", "b10", "b10"], dtype=object)}
    asked = [[0, 0], [0, 1], [0, 2], [0, 3]]
    work = small({(0, 0): "a"}, asked, column)
    units = cut(annqc.audit(work, gold()), batch="lot2").units
    assert [(one.batch, one.n_asked) for one in units] == [("b9", 2), ("b10", 2)]


def test_problems_go_to_whoever_they_are_of():
    said = {"kind": "zero_size", "severity": "dropped", "source": "f", "where": "1", "message": "m"}
    issues = (Problem(**said, annotator="ann"), Problem(**said, annotator="bob"), Problem(**said))
    work = small({(0, 0): "a", (1, 3): "b"}, issues=issues)
    found = cut(annqc.audit(work, gold()), vendor="lot")
    assert [one.run.candidate.n_dropped for one in found.units] == [1, 1]
    assert any(note.startswith("1 row that cannot be used") for note in found.notes)


def test_a_piece_without_gold_says_so():
    base = gold()
    two = np.arange(2)
    part = replace(base, table=base.table.take(two), image_table=base.image_table.take(two))
    work = small({(0, 0): "a", (1, 3): "b"})
    first, second = cut(annqc.audit(work, part), vendor="lot").units
    assert first.run is not None
    assert second.run is None
    assert second.trouble == "none of its images is in the gold"
    assert (second.n_outside_boxes, second.n_outside_images) == (1, 1)


@settings(max_examples=40, deadline=None)
@given(
    cells=st.dictionaries(
        st.tuples(st.integers(0, 1), st.integers(0, 3)),
        st.sampled_from(["a", "b", None]),
        min_size=1,
    ),
    more=st.sets(st.tuples(st.integers(0, 1), st.integers(0, 3))),
)
def test_labels_agree_with_a_plain_reading(cells, more):
    asked = sorted({*cells, *more})
    work = small(cells, asked)
    label = label_of(annqc.audit(work, gold()), "lot", "vendor")
    name = {UNSAID: None, OPEN: OPEN, **dict(enumerate(label.values))}
    assert [name[code] for code in label.of_row.tolist()] == list(cells.values())
    for (a, i), code in zip(asked, label.of_asked.tolist(), strict=True):
        if (a, i) in cells:
            continue
        mine = {cell for (who, _), cell in cells.items() if who == a}
        there = {cell for (_, where), cell in cells.items() if where == i}
        known = mine if len(mine) == 1 else there
        assert name[code] == (next(iter(known)) if len(known) == 1 else OPEN)


def test_files_are_named_by_so_much_of_the_path_as_tells_them_apart(tmp_path):
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    for name in ("north/a/acme.json", "south/a/acme.json", "south/a/zeta.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_coco(made.work, tmp_path / name)
    work = annqc.read(str(tmp_path / "*" / "*" / "*.json"), annotator="=ann")
    audit = annqc.audit(work, made.gold)
    assert [one.vendor for one in cut(audit, vendor="stem").units] == [
        "north/a/acme",
        "south/a/acme",
        "zeta",
    ]
    assert [one.vendor for one in cut(audit, vendor="parent").units] == ["north/a", "south/a"]


def test_a_wrong_rule_suggests_a_right_one(tmp_path):
    with pytest.raises(annqc.UnknownNameError, match="did you mean 'site'"):
        cut(audited(), vendor="sites")
    with pytest.raises(annqc.ReadError, match="cannot be read"):
        cut(audited(), vendor=str(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,vendor\nx,y\n", "does not say whose"),
        ("annotator,image_id,vendor\nx,1,y\n", "does not say whose"),
        ("annotator,site\nx,y\n", "does not say whose"),
        ("annotator,vendor\ngood-0,x\ngood-0,y\n", "two things of annotator 'good-0'"),
        ("annotator,vendor\n\udcff,x\n", "cannot be read"),
    ],
)
def test_a_list_that_says_nothing_is_refused(tmp_path, text, said):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(annqc.ReadError, match=said):
        cut(audited(), vendor=str(path))


def test_who_is_not_in_a_list_and_whose_work_is_not_there_is_said(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("annotator,vendor\ngood-0,acme\nzoe,void\n", encoding="utf-8")
    found = cut(audited(), vendor=str(path))
    assert [one.vendor for one in found.units] == ["acme", NOT_SAID]  # what is nobody's comes last
    assert any(note.startswith("10 annotators of the work are not in") for note in found.notes)
    assert any("of whom there is no work: void" in note for note in found.notes)


def test_more_pages_than_anybody_reads_are_refused(monkeypatch):
    monkeypatch.setattr("annqc.run.scorecard.units.MOST", 3)
    with pytest.raises(annqc.SpecError, match="there would be 11 pages"):
        cut(audited(), vendor="annotator")


SAID = {"kind": "zero_size", "severity": "dropped", "source": "f", "where": "1", "message": "m"}


def test_nobody_answers_for_rows_that_name_somebody_else(tmp_path):
    """All usable rows on image w are ann's, and the unusable one there is cem's."""
    issues = (Problem(**SAID, annotator="cem", image_id="w"),)
    work = small({(0, 0): "a", (1, 3): "b"}, issues=issues)
    found = cut(annqc.audit(work, gold()), vendor="lot")
    assert [one.n_dropped for one in found.units] == [0, 0]
    assert any(note.startswith("1 row that cannot be used") for note in found.notes)
    path = tmp_path / "roster.csv"
    path.write_text("annotator,vendor\nann,x\nbob,y\ncem,z\n", encoding="utf-8")
    found = cut(annqc.audit(work, gold()), vendor=str(path))
    assert [(one.vendor, one.n_dropped) for one in found.units] == [("x", 0), ("y", 0), ("z", 1)]
    assert found.units[2].run is None
    assert found.units[2].trouble == "none of its 1 row can be used"
    assert not any("cannot be used" in note for note in found.notes)
    path.write_text("image_id,batch\nw,1\nx,1\ny,2\nz,2\n", encoding="utf-8")
    both = cut(annqc.audit(work, gold()), vendor="annotator", batch=str(path))
    names = [(one.vendor, one.batch, one.n_dropped) for one in both.units]
    assert names == [("ann", "1", 0), ("bob", "2", 0), ("cem", "1", 1)]


def test_unusable_rows_of_a_file_are_those_of_its_vendor(tmp_path):
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    write_coco(made.work, tmp_path / "good.json")
    write_coco(made.work, tmp_path / "junk.json")
    text = json.loads((tmp_path / "junk.json").read_text(encoding="utf-8"))
    for one in text["annotations"]:
        one["bbox"][2] = -5
    (tmp_path / "junk.json").write_text(json.dumps(text), encoding="utf-8")
    work = annqc.read([tmp_path / "good.json", tmp_path / "junk.json"], annotator="=ann")
    found = cut(annqc.audit(work, made.gold), vendor="stem")
    n = len(text["annotations"])
    assert [(one.vendor, one.n_dropped) for one in found.units] == [("good", 0), ("junk", n)]


def test_a_list_by_file_name_finds_the_images_of_work_that_has_no_names(tmp_path):
    names = np.array([f"{k}.jpg" for k in "wxyz"], dtype=object)
    base = gold()
    named = replace(base, image_table=Images.build(base.image_table.id, file_name=names))
    work = small({(0, 0): "a", (0, 1): "a", (0, 2): "a", (0, 3): "a"})
    turned = Images.build(ids_array(list("zyxw")))  # the same images the other way round
    path = tmp_path / "batches.csv"
    path.write_text("file_name,batch\nw.jpg,1\nx.jpg,2\ny.jpg,2\nz.jpg,2\n", encoding="utf-8")
    found = cut(annqc.audit(replace(work, image_table=turned), named), batch=str(path))
    rows = {one.batch: one.rows.tolist() for one in found.units}
    assert rows == {"1": [3], "2": [0, 1, 2]}
    assert found.notes == []
    part = replace(
        named,
        table=named.table.take(np.arange(3)),
        image_table=named.image_table.take(np.arange(3)),
    )
    found = cut(annqc.audit(replace(work, image_table=turned), part), batch=str(path))
    assert {one.batch: len(one.rows) for one in found.units} == {"1": 1, "2": 2, NOT_SAID: 1}


def test_what_a_list_says_in_vain_is_told(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("annotator,vendor\ngood-0,acme\ngood-9,acme\n,bravo\n", encoding="utf-8")
    notes = cut(audited(), vendor=str(path)).notes
    assert "roster.csv names 1 annotator without work: good-9" in notes
    assert "roster.csv has a vendor without an annotator in line 4" in notes
    path.write_text("annotator,vendor,vendor\ngood-0,acme,zeta\n", encoding="utf-8")
    with pytest.raises(annqc.ReadError, match="the column 'vendor' 2 times"):
        cut(audited(), vendor=str(path))


def test_a_vendor_of_the_name_of_nobody_has_a_page_alone():
    work = small({(0, 0): NOT_SAID, (0, 1): None, (0, 2): "z"})
    units = cut(annqc.audit(work, gold()), vendor="lot").units
    assert [(one.vendor, one.rows.tolist()) for one in units] == [
        (NOT_SAID, [0]),
        ("z", [2]),
        (f"({NOT_SAID})", [1]),
    ]
