"""The benchmark of agreement, on works so small that nobody would time them."""

from __future__ import annotations

from tests.bench import agreement, timing
from tests.bench.works import SIZES, Works


def test_every_part_is_compared_on_equal_values(tmp_path, monkeypatch):
    launched = []

    def launch(arguments, folder):
        launched.append(arguments[2])
        alone = timing.launch(arguments, folder) if arguments[2] == "names" else None
        return alone or timing.Finished(0.1, 100.0, "1")

    monkeypatch.setattr(timing, "TURN", 0.0)
    monkeypatch.setattr(agreement, "launch", launch)
    rows = list(agreement.agreement(Works(SIZES["tiny"], tmp_path)))
    assert [row.peer for row in rows] == ["krippendorff", "crowd-kit", "SimpleITK"]
    assert all(row.cpu > 0 and row.peak_mb > 10 for row in rows)
    assert launched == list(agreement.CHILDREN) == ["names", "labels", "masks"]
