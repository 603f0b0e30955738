"""Points in time are read from what tools write, and numbers that count something else are not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.run.times import seconds_of, times_of


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2024-03-01T08:00:00Z", 1709280000.0),
        ("2024-03-01T09:00:00+01:00", 1709280000.0),
        ("2024-03-01 08:00", 1709280000.0),
        (dt.datetime(2024, 3, 1, 8, tzinfo=dt.UTC), 1709280000.0),
        (np.datetime64("2024-03-01T08:00"), 1709280000.0),
        (dt.date(2024, 3, 1), 1709251200.0),
        (np.int64(1709280000), 1709280000.0),
        (1709280000000, 1709280000.0),
        (1709280000000000000, 1709280000.0),
        ("1709280000", 1709280000.0),
    ],
)
def test_times_are_read(value, seconds):
    assert seconds_of(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        pd.NaT,
        "",
        "soon",
        True,
        float("nan"),
        float("inf"),
        [1],
        "0001-01-01T00:00:00-99:00",
        "0001-01-01T00:00:00+12:00",
        17,
        86400,
        -9e10,
        10**400,
        1e300,
    ],
)
def test_what_is_no_time_is_none(value):
    assert np.isnan(seconds_of(value))


def with_columns(**columns):
    made = annqc.simulate(["ann"], n_images=3, boxes_per_image=[1, 1, 1], rng=1)
    table = made.work.table.take(np.arange(3))
    extra = {name: np.array(cells, dtype=object) for name, cells in columns.items()}
    return replace(made.work, table=replace(table, extra=extra))


def test_the_first_column_that_says_it_decides():
    work = with_columns(
        date=["2024-03-02"] * 3, timestamp=[0, 1, 2], updated_at=["2024-03-01", None, "x"]
    )
    name, seconds = times_of(work)
    assert name == "updated_at"
    np.testing.assert_array_equal(seconds, [1709251200.0, np.nan, np.nan])


def test_numbers_of_frames_are_no_times():
    assert times_of(with_columns(timestamp=[0, 1, 2])) is None
    assert times_of(with_columns(other=["2024-03-01"] * 3)) is None
