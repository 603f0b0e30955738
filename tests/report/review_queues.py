"""Review queues that the tests of their files share: odd names, outlines, videos, boxes too far."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

import annqc
from annqc import Habit
from annqc.simulate import TrackHabit, tracks
from annqc.tables import Shapes

SIZE = 1920, 1080
FILES = ["a b.jpg", 'say "cheese" & <b>.png', "<script>alert(1).jpg", "räks/ü 字.jpg", "c%20d.jpg"]
CLASSES = ["<script>alert('x')</script>", 'the "big" & ü 字']
SETS = ["boxes", "beyond", "outlines", "video", "videos"]
HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "review.md"


@cache
def review(name):
    """Make the queue called so."""
    if name in ("video", "videos"):
        fleet = {"ann <i>": TrackHabit.jitter(3), "bob & 'x'": TrackHabit.late_start(3)}
        count = 1 if name == "video" else 2
        made = tracks(fleet, n_sequences=count, n_tracks=3, n_frames=40, rng=1)
        return annqc.audit(made.work, made.gold).review(top=60)
    fleet = {'ann "q"': Habit.parse("gross 5 %, misses 5 %"), "bob <i>": Habit.parse("extras 5 %")}
    made = annqc.simulate(fleet, n_images=5, boxes_per_image=12, categories=2, rng=1)
    work, gold = oddly_named(made.work), oddly_named(made.gold)
    if name == "beyond":
        work = moved(work, [-900, -9, 9, 500])
    if name == "outlines":
        work, gold = outlined(work), outlined(gold)
    return annqc.audit(work, gold).review(url="https://x.org/?a={image_id}&b={file_name}")


def oddly_named(one):
    """Name images and classes as nobody should, and have columns that tools know otherwise."""
    images = replace(one.image_table, file_name=np.array(FILES, dtype=object))
    n = len(one)
    text = np.array([f"<b>{k} ü" for k in range(n)], dtype=object)
    extra = {"attributes": text, "label": text, "tags": text, "index": text, "mask": text}
    extra |= {"_cls": text, "a.b": text, "z_order": np.where(np.arange(n) % 2, 3.0, np.nan)}
    extra |= {"group_id": np.where(np.arange(n) % 3, 7.0, np.nan), "text": text}
    table = replace(one.table, extra=extra)
    names = np.array(CLASSES, dtype=object)
    return replace(one, table=table, image_table=images, category_names=names)


def moved(one, by):
    """Move the edges, however far that is beyond the image."""
    return replace(one, table=replace(one.table, xyxy=one.table.xyxy + by))


def outlined(one):
    """Give boxes outlines: a polygon, one with a hole, a mask, or none."""
    rings, masks = [], []
    for row, (left, top, right, bottom) in enumerate(one.table.xyxy.tolist()):
        x, y = (left + right) / 2, (top + bottom) / 2
        outer = [[left, y], [x, top], [right, y], [x, bottom]]
        inner = [[x, y - 3], [x - 3, y], [x, y + 3], [x + 3, y]]
        whole = (int(max(left, 0)), int(max(top, 0)), int(right), int(bottom))
        rings.append([[outer], [outer, inner], None, None, [outer]][row % 5])
        masks.append(runs(*whole) if row % 5 == 2 else None)
    canvas = [(SIZE[1], SIZE[0]) if one is not None else (0, 0) for one in masks]
    shapes = Shapes.mixed(Shapes.from_rings(rings), Shapes.from_runs(masks, canvas))
    return replace(one, table=replace(one.table, shapes=shapes))


def runs(left, top, right, bottom):
    """Return the runs of a rectangle, column by column."""
    pixels = np.zeros((SIZE[0], SIZE[1]), dtype=bool)
    pixels[left:right, top:bottom] = True
    flat = np.concatenate([[False], pixels.ravel()])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff([0, *ends, pixels.size])


def configuration(labels):
    """Return the labelling configuration that the docs print, with these labels."""
    (text,) = re.findall(r"```xml\n(<View>.*?</View>)\n```", HOWTO.read_text("utf-8"), re.DOTALL)
    assert text.count('<Label value="car"/>') == 2
    listed = "".join(f"<Label value={quoteattr(one)}/>" for one in labels)
    return text.replace('<Label value="car"/>', listed)
