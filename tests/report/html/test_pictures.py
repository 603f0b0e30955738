"""Histograms have zero in the middle of a bin; pictures of many people have the worst of them."""

from __future__ import annotations

import re

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.html.drawings import GAP, bias_box
from annqc.report.html.pictures import MOST_PICTURED, bias_map, histograms
from annqc.report.html.story import tell
from tests.report.html.rows import figures, table

MINUS = "\N{MINUS SIGN}"


def spread(scale, grid):
    """Offsets of four edges, whole multiples of something."""
    found = np.random.default_rng(0).normal(0, scale, (4, 400))
    return np.round(found / grid) * grid if grid else found


@pytest.mark.parametrize(
    ("scale", "grid"),
    [(0.4, 0.0), (3.0, 0.0), (40.0, 0.0), (0.4, 0.1), (2.0, 0.25), (3.0, 0.5), (40.0, 1.0)],
)
def test_zero_is_in_the_middle_of_a_bin(scale, grid):
    offsets = spread(scale, grid)
    picture, rows = histograms(offsets)
    for k, trace in enumerate(picture["data"]):
        x, tally = np.array(trace["x"]), np.array(trace["y"])
        wide = float(np.diff(x).min())
        assert np.abs(x / wide - np.round(x / wide)).max() < 1e-6
        inside = np.abs(offsets[k][:, None] - x[None, 1:-1]) < wide / 2 - 1e-9
        assert inside.sum(axis=0).tolist() == tally[1:-1].tolist()
        assert tally.sum() == 400
    assert [sum(tally) for _, tally in rows] == [
        sum(one) for one in zip(*(trace["y"] for trace in picture["data"]), strict=True)
    ]


def test_whole_pixels_have_a_bar_each():
    """Zeros are at zero, and no bar holds more whole pixels than the next."""
    offsets = spread(2.0, 1.0)
    picture, rows = histograms(offsets)
    for k, trace in enumerate(picture["data"]):
        got = dict(zip(trace["x"], trace["y"], strict=True))
        assert got[0.0] == (offsets[k] == 0).sum()
        assert got[-2.0] == (offsets[k] == -2).sum()
    names = [name for name, _ in rows]
    assert {"0", "1", f"{MINUS}1"} <= set(names)
    wide = histograms(spread(40.0, 1.0))[1]
    held = [re.findall(r"-?\d+", name.replace(MINUS, "-")) for name, _ in wide[1:-1]]
    n = {int(b) - int(a) + 1 for a, b in held}
    assert len(n) == 1
    assert n.pop() % 2 == 1


def test_bars_at_the_ends_are_marked_and_say_what_they_hold():
    """They hold all that lies beyond: nobody may take one for a bin."""
    offsets = np.round(np.random.default_rng(0).normal(0, 3, (4, 400)))
    offsets[3, :7] = [40, 52, 60, 77, 90, 120, 144]
    offsets[0, :2] = -300
    picture, rows = histograms(offsets)
    low, high = rows[0][0], rows[-1][0]
    assert low.endswith(" and under")
    assert high.endswith(" and over")
    under, over = ([number_in(one)] for one in (low, high))
    layout = picture["layout"]
    for k, trace in enumerate(picture["data"]):
        suffix = "" if k == 0 else str(k + 1)
        shapes = trace["marker"]["pattern"]["shape"]
        assert [bool(one) for one in shapes] == [True, *[False] * (len(rows) - 2), True]
        ticks = layout[f"xaxis{suffix}"]["tickvals"]
        assert len(ticks) >= 3
        assert under[0] < min(ticks) <= 0 <= max(ticks) < over[0]
        told = {one["text"]: one for one in layout["annotations"] if one["xref"] == f"x{suffix}"}
        counts = {low: (offsets[k] <= under[0]).sum(), high: (offsets[k] >= over[0]).sum()}
        assert set(told) == {text for text, n in counts.items() if n}
        assert {text: trace["y"][j] for text, j in ((low, 0), (high, -1))} == counts
        for text, one in told.items():
            at = trace["x"][0 if text == low else -1]
            assert one["xanchor"] == ("left" if text == low else "right")
            assert abs(one["x"] - at) <= 0.5 * float(np.diff(trace["x"]).min()) + 1e-9


def number_in(text):
    return float(re.search(r"-?\d+(\.\d+)?", text.replace(MINUS, "-"))[0])


@pytest.fixture(scope="module")
def many():
    habits = {f"p{k:02d}": Habit.loose("right", px=8) if k % 9 == 0 else [] for k in range(50)}
    made = annqc.simulate(habits, n_images=6, boxes_per_image=3, rng=1)
    return annqc.audit(made.work, made.gold)


def test_of_many_people_the_worst_are_in_the_picture(many, tmp_path):
    story = tell(many, ("annotator",), veiled=False, checks=[])
    drawn = bias_map(story)
    names = [one.name for one in story.people]
    assert drawn["layout"]["yaxis"]["ticktext"] == names[:MOST_PICTURED]
    assert len(drawn["data"][0]["z"]) == MOST_PICTURED
    off = [one.name for one in story.people if one.place == "biased"]
    assert off == names[: len(off)]
    page = many.to_html(tmp_path / "r")
    for name, picture in figures(page).items():
        assert picture["layout"]["height"] < 1_000, name
    text = page.read_text(encoding="utf-8")
    assert text.count("The worst 40 of 50 are in the picture; the table has") == 2
    assert len(table(page, "The numbers of the bias map")) == 51


def test_labels_of_the_bias_box_lie_beyond_edges_and_bands():
    """And inside of the drawing, at a cautious width of a letter."""
    made = annqc.simulate(
        {
            "ann": [],
            "bob": [Habit.loose("right", px=9), Habit.jitter(px=30)],
            "eve": [Habit.tight("left", px=12), Habit.jitter(px=15)],
        },
        n_images=12,
        rng=1,
    )
    audit = annqc.audit(made.work, made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    seen = 0
    for person in story.people:
        mine = story.rows(audit.measurements.annotator, person)
        box = bias_box(story.view, person.group, audit.measurements.sides[mine])
        gold = box.gold
        for k, side in enumerate(box.sides):
            x, y = side.at
            wide = 7.5 * len(f"{side.mark} {side.label}")
            begin = x - wide * {"start": 0, "middle": 0.5, "end": 1}[side.anchor]
            assert 0 <= begin <= begin + wide <= box.width
            assert 13 <= y <= box.height
            outs = [gold.x, gold.y, gold.x + gold.width, gold.y + gold.height]
            if side.band:
                band = side.band
                ends = (band.x, band.y, band.x + band.width, band.y + band.height)
                far = (min, min, max, max)[k]
                outs[k] = far(outs[k], ends[k])
            sign = -1 if k < 2 else 1
            beyond = sign * ((x, y)[k % 2] - outs[k])
            cut = k % 2 == 0 and (begin < 10 or begin + wide > box.width - 10)
            assert cut or beyond >= GAP - 0.1
            seen += 1
    assert seen == 12
