"""What offsets depend on where sizes go with it, and where sittings have moods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.run.dependence.moods import withstands
from annqc.run.dependence.sizes import share_of_sizes, step_share, without_sizes
from annqc.run.dependence.stack import Stack
from annqc.run.dependence.text import dependence_text

WIDTH, HEIGHT = 1920.0, 1080.0
CORNERS = ("x1", "y1", "x2", "y2")
NOTED = ["depends", "changed", "measurable"]


def asked(rng, n, question, **how):
    """Ask a question of the four edges of ``a0``."""
    rows = annqc.audit(*drawn(rng, n, **how)).dependence()
    return rows[(rows["question"] == question) & (rows["annotator"] == "a0")]


def drawn(rng, n, *, size=None, shift=None, each=4, spread=0.3, mood=0.0, days=1):
    """Return the work of ``a0``, whose boxes are shifted, and of an honest one, and the gold.

    ``size`` gives the logarithm of sides, and ``shift`` pixels, by time (-1 to 1) and place (-1 at
    the top to 1 at the bottom).
    """
    image = np.repeat(np.arange(n), each)
    time, down = 2.0 * image / (n - 1) - 1, rng.uniform(-0.8, 0.8, n * each)
    log = 4.2 + rng.normal(0, spread, (len(image), 2))
    log += 0 if size is None else size(time, down)[:, None]
    side = np.exp(np.clip(log, 2.2, 5.3))
    across = rng.uniform(300, WIDTH - 300, len(image))
    middle = np.stack([across, (down + 1) / 2 * HEIGHT], axis=1)
    gold = np.concatenate([middle - side / 2, middle + side / 2], axis=1)
    one = {"image_id": image, "category": "x"}
    sizes = {"image_width": WIDTH, "image_height": HEIGHT}
    reference = pd.DataFrame(one | dict(zip(CORNERS, gold.T, strict=True)) | sizes)
    sitting, nth = np.divmod(image, n // days)
    one["created_at"] = 1.7e9 + 86400.0 * sitting + 600.0 * nth
    parts = []
    for name in ("a0", "a1"):
        off = 0.5 * rng.standard_normal((n, 4))[image] + rng.standard_normal((len(image), 4))
        off += mood * rng.standard_normal((days, 4))[sitting]
        if name == "a0" and shift is not None:
            off += shift(time, down, np.tile(side, 2))
        box = gold + off * np.array([-1, -1, 1, 1])
        parts.append(
            pd.DataFrame(one | {"annotator": name} | dict(zip(CORNERS, box.T, strict=True)))
        )
    return pd.concat(parts), reference


def test_a_place_that_sizes_go_with_is_measured_all_the_same():
    """3 px a half of the image, where objects are larger farther down."""
    told = pd.concat(
        asked(
            np.random.default_rng(seed),
            60,
            "place",
            size=lambda time, down: 0.8 * down,
            shift=lambda time, down, side: 3.0 * down[:, None],
        )
        for seed in range(5)
    )
    assert set(told["verdict"]) == {"depends"}
    assert told["second"].mean() == pytest.approx(6.0, abs=0.25)
    assert ((told["second_low"] <= 6) & (told["second_high"] >= 6)).mean() >= 0.85
    assert told["reach"].mean() == pytest.approx(4.3 / 1.65, rel=0.25)


def test_hours_that_sizes_go_with_are_measured_all_the_same():
    told = asked(
        np.random.default_rng(1),
        80,
        "session",
        days=8,
        size=lambda time, down: 1.0 * ((4 * (time + 1)) % 1.0),
        shift=lambda time, down, side: 2.0 * (1.5 * ((79 * (time + 1) / 2) % 10) / 9)[:, None],
    )
    assert (told["estimate"] - 2.0).abs().max() < 0.5
    assert (told["ci_low"] <= 2).sum() >= 3
    assert (told["ci_high"] >= 2).all()


def test_padding_of_sides_much_alike_is_no_place_and_no_change():
    """Five pixels are more tolerances on smaller objects, though nothing says it is padding."""
    for question in ("place", "change"):
        told = asked(
            np.random.default_rng(3),
            60,
            question,
            spread=0.05,
            size=lambda time, down: 0.2 * down + 0.1 * time,
            shift=lambda time, down, side: 5.0 + 0.0 * side,
        )
        assert not set(told["verdict"]) & set(NOTED)
        assert set(told["status"]) <= {"ok", "like_sizes"}


def test_moods_of_few_sittings_are_no_change():
    alarms = 0
    for seed in range(6):
        told = asked(np.random.default_rng(seed), 96, "change", days=8, mood=1.2)
        alarms += told["verdict"].isin(NOTED).sum()
        assert set(told["status"]) == {"sittings_differ"}
        assert set(told["n_clusters"]) == {8}
        assert "was not tested (sittings differ, 8 sittings)" in told["text"].iloc[0]
    assert alarms == 0
    size = asked(np.random.default_rng(0), 96, "size", days=8, mood=1.2)
    assert set(size["status"]) == {"by_session"}
    assert set(size["n_clusters"]) == {8}
    assert "(8 sittings" in size["text"].iloc[0]
    padded = asked(np.random.default_rng(0), 96, "padding", days=8, mood=1.2)
    assert set(padded["status"]) == {"sittings_differ"}
    assert set(padded["verdict"]) == {"not_tested"}


def test_a_change_of_all_edges_is_no_mood():
    told = asked(
        np.random.default_rng(2),
        96,
        "change",
        days=8,
        shift=lambda time, down, side: 4.0 * (time > 0)[:, None],
    )
    assert set(told["verdict"]) == {"changed"}
    assert told["position"].tolist() == pytest.approx([48] * 4, abs=2)


def test_a_change_that_comes_with_other_sizes_is_not_said_to_be_absent():
    told = asked(
        np.random.default_rng(4),
        80,
        "change",
        size=lambda time, down: 0.9 * np.sign(time),
        shift=lambda time, down, side: 4.0 * (time > 0)[:, None],
    )
    assert set(told["status"]) == {"like_sizes"}
    assert set(told["verdict"]) == {"not_tested"}
    assert "cannot be told from the size of the objects (80 images)" in told["text"].iloc[0]


def test_a_change_is_told_net_of_sizes():
    """Five of a hundred on objects that grow, and 4 px from the middle on."""
    told = asked(
        np.random.default_rng(5),
        80,
        "change",
        size=lambda time, down: 0.4 * time,
        shift=lambda time, down, side: 0.05 * side + 4.0 * (time > 0)[:, None],
    )
    assert set(told["verdict"]) == {"changed"}
    assert (told["estimate"] - told["second"]).min() > 4.5
    assert told["net"].mean() == pytest.approx(4.0, abs=0.3)
    assert ((told["net_low"] <= 4) & (told["net_high"] >= 4)).sum() >= 3
    said = told["text"].iloc[0]
    assert " px farther out than before on objects of the same size (3." in said
    assert "; before" not in said
    assert said.endswith(" before)")


def stacked(rng, n_groups, n):
    group = rng.integers(0, n_groups, n)
    side = np.exp(rng.normal(4, 0.5, n))
    tolerance = np.maximum(2.0, 0.03 * side)
    tolerance[group == 0], side[group == 0] = 2.0, 40.0
    rows = {"group": group, "cluster": np.arange(n), "pair": np.arange(n)}
    blank = np.zeros(n_groups)
    y = rng.standard_normal(n)
    return Stack(**rows, y=y, px=y, side=side, tolerance=tolerance, grid=blank, grid_px=blank)


def left_by_hand(stack, values, rows):
    ones = np.ones(len(rows))
    x = np.stack([ones, 1 / stack.tolerance[rows], (stack.side / stack.tolerance)[rows]], axis=1)
    return values[rows] - x @ np.linalg.lstsq(x, values[rows], rcond=1e-10)[0]


def test_what_is_left_of_sizes_equals_least_squares_group_by_group():
    rng = np.random.default_rng(6)
    stack = stacked(rng, 4, 400)
    z = np.stack([rng.standard_normal(400), 0.1 * stack.side, np.full(400, 3.0)], axis=1)
    z[5] = np.nan
    left, share = without_sizes(stack, z, 4), share_of_sizes(stack, z, 4)
    assert np.isnan(left[5]).all()
    for group in range(4):
        rows = np.flatnonzero((stack.group == group) & np.isfinite(z[:, 0]))
        by_hand = left_by_hand(stack, z, rows)
        assert left[rows] == pytest.approx(by_hand, abs=1e-6)
        whole = ((z[rows, 0] - z[rows, 0].mean()) ** 2).sum()
        assert share[group, 0] == pytest.approx(1 - (by_hand[:, 0] ** 2).sum() / whole, abs=1e-9)
    assert share[:, 2].tolist() == [0.0] * 4
    assert not np.nan_to_num(left[:, 2]).any()


def test_the_share_of_a_step_is_the_largest_of_all_steps():
    rng = np.random.default_rng(7)
    stack = stacked(rng, 3, 200)
    position = np.where(stack.group == 2, -1, rng.integers(0, 40, 200))
    found = step_share(stack, position, 3, first=20, last=5)
    for group in (0, 1):
        rows = np.flatnonzero(stack.group == group)
        shares = []
        for at in range(20, position[rows].max() + 2 - 5):
            step = (position >= at).astype(float)
            left = left_by_hand(stack, step[:, None], rows)
            shares.append(1 - (left**2).sum() / (len(rows) * step[rows].var()))
        assert found[group] == pytest.approx(max(shares), abs=1e-9)
    assert found[2] == 0.0


def test_a_change_has_to_stand_out_from_sittings():
    sitting = np.repeat(np.arange(8), 10)
    x = np.random.default_rng(8).standard_normal(80)
    assert not withstands(x, sitting, 40)
    assert withstands(x + 3.0 * (np.arange(80) >= 40), sitting, 40)
    mood = np.array([0, 2, -2, 1, 3, -1, 2, 0])[sitting]
    assert not withstands(x + mood + 1.0 * (np.arange(80) >= 40), sitting, 40)
    assert not withstands(x, 0 * sitting, 40)


ROW = {"quantity": "out_right", "question": "padding", "verdict": "ADDITIVE", "status": "ok"}
ROW |= {"estimate": 0.9, "ci_low": 0.5, "ci_high": 1.3, "second": -0.1, "second_low": -0.3}
ROW |= {"second_high": 0.1, "p_adjusted": 0.001, "confidence_level": 0.95, "n_clusters": 60}


def test_padding_is_neutral_and_ends_say_their_direction():
    assert dependence_text(ROW) == (
        "padding on the right edge: 0.9 px farther out at any size (0.5 to 1.3 px), and scaling: "
        "0.1 % of the width farther in, which may be nothing (0.1 % out to 0.3 % in, 60 images)"
    )
    inward = {"question": "session", "verdict": "depends", "estimate": -2.0, "ci_low": -3.1}
    said = dependence_text(ROW | inward | {"ci_high": -0.9})
    assert (
        said
        == "the right edge is 2 px farther in with every hour of a sitting (1 to 3 px, 60 images)"
    )
    said = dependence_text(ROW | inward | {"ci_low": -4.9, "ci_high": 0.9})
    assert "2 px farther in with every hour of a sitting (1 px out to 5 px in, 60 images)" in said
