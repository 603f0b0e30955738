"""What else is near an annotation is drawn, and nothing beyond the window."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.report.html.neighbours import MOST, Neighbours, edges_within

number = st.integers(-20, 20)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(number, number, number, number), max_size=4),
    st.tuples(number, number, number, number),
)
def test_of_edges_all_is_seen_that_is_in_the_window(corners, frame):
    boxes = np.array(
        [[min(a, b), min(c, d), max(a, b), max(c, d)] for a, b, c, d in corners], dtype=float
    ).reshape(-1, 4)
    a, b, c, d = frame
    window = np.array([min(a, b), min(c, d), max(a, b), max(c, d)], dtype=float)
    seen = set()
    for (x1, y1), (x2, y2) in edges_within(boxes, window).tolist():
        assert x1 == x2 or y1 == y2
        for x in np.arange(x1, x2 + 1):
            seen |= {(x, y) for y in np.arange(y1, y2 + 1)}
    expected = set()
    for x1, y1, x2, y2 in boxes.tolist():
        for x in np.arange(x1, x2 + 1):
            for y in np.arange(y1, y2 + 1):
                if x in (x1, x2) or y in (y1, y2):
                    expected.add((x, y))
    within = {
        (x, y) for x, y in expected if window[0] <= x <= window[2] and window[1] <= y <= window[3]
    }
    assert seen == within


def test_neighbours_are_those_of_the_image_and_the_person():
    made = annqc.simulate(
        {"ann": [], "eve": Habit.parse("misses 20 %, extras 20 %")},
        n_images=15,
        boxes_per_image=45,
        image_size=(400, 300),
        rng=2,
    )
    matches = annqc.audit(made.work, made.gold).matches
    near, gold, work = Neighbours(matches), matches.reference.table, matches.candidate.table
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(40):
        image, who = int(rng.integers(15)), int(rng.integers(2))
        x, y = rng.uniform(0, 300, 2)
        window = np.array([x, y, x + rng.uniform(20, 300), y + rng.uniform(20, 300)])
        rows = (int(rng.integers(len(gold))), int(rng.integers(len(work))))
        found = near.of(image, who, window, rows)
        sides = ((gold, gold.image, rows[0]), (work, matches.image_of_candidate, rows[1]))
        for side, (table, images, own) in enumerate(sides):
            expected = []
            for row, box in enumerate(table.xyxy.tolist()):
                meets = box[0] < window[2] and box[2] > window[0]
                meets = meets and box[1] < window[3] and box[3] > window[1]
                mine = side == 0 or table.annotator[row] == who
                if images[row] == image and row != own and meets and mine:
                    expected.append(box)
            expected.sort(key=lambda one: -(one[2] - one[0]) * (one[3] - one[1]))
            np.testing.assert_array_equal(found[side].tolist(), expected[:MOST])
            counts.append(len(expected))
    assert max(counts) > MOST
    assert 0 in counts
