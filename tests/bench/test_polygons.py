"""The benchmarks of polygons, on works so small that nobody would time them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import polygons, timing
from tests.bench.works import SIZES, Works


@pytest.mark.parametrize("bench", [polygons.overlap, polygons.contours, polygons.huge])
def test_every_row_has_the_time_of_annqc_on_equal_values(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "TURN", 0.0)
    rows = list(bench(Works(SIZES["tiny"], tmp_path)))
    assert rows
    assert all(row.cpu > 0 for row in rows)
    assert all((row.ratio is None) == (row.peer_cpu is None) for row in rows)


def test_unequal_values_are_not_timed(tmp_path, monkeypatch):
    if polygons.load("shapely") is None:
        pytest.skip("shapely is not installed")
    monkeypatch.setattr(polygons, "by_shapely", lambda _, one, __: np.zeros(len(one)))
    with pytest.raises(timing.UnequalWorkError):
        list(polygons.overlap(Works(SIZES["tiny"], tmp_path)))
