"""The benchmark of outlines out of proportion, on works so small that nobody would time them."""

from __future__ import annotations

import numpy as np
import pytest

import annqc
from tests.bench import outlines, timing
from tests.bench.works import SIZES, Works


def test_both_sides_are_written_as_the_same_outlines(tmp_path):
    for work in outlines.made(0.002):
        path = tmp_path / "gold.json"
        n = outlines.write(path, work.sides[0], work.canvas, masks=work.masks)
        found = annqc.read(path, shapes=True)
        assert n == len(found) == len(work.sides[0])
        assert found.issues == ()
        shapes = found.table.shapes
        assert len(shapes) == n
        drawn = np.diff(shapes.run_offsets) if work.masks else np.diff(shapes.shape_offsets)
        assert (drawn > 0).all()


def test_every_audit_compares_all_that_it_matched(tmp_path, monkeypatch):
    few = outlines.made(0.002)[2:3]
    monkeypatch.setattr(outlines, "made", lambda _: few)
    (row,) = outlines.audits(Works(SIZES["tiny"], tmp_path))
    assert row.work.startswith("20 polygons")
    assert row.cpu > 0.1
    assert row.peak_mb > 50
    assert list(tmp_path.glob("outlines*")) == []


def test_an_audit_that_leaves_outlines_out_is_not_timed(tmp_path, monkeypatch):
    few = outlines.made(0.002)[2:3]
    monkeypatch.setattr(outlines, "made", lambda _: few)

    def without(commands, folder, *, rounds):
        commands = {name: [a for a in one if a != "--shapes"] for name, one in commands.items()}
        return timing.interleave_processes(commands, folder, rounds=rounds)

    monkeypatch.setattr(outlines, "interleave_processes", without)
    with pytest.raises((timing.UnequalWorkError, TypeError)):
        list(outlines.audits(Works(SIZES["tiny"], tmp_path)))
