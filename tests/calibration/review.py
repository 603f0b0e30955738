"""Errors caught against annotations reviewed, on work whose errors are known and doubtful gold.

The gold has mistakes of its own: it misses 0.5 % of the objects, invents 0.5 %, gives 0.5 % another
label and has half a pixel of error on each edge. Run as ``python -m tests.calibration.review``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

import annqc
from annqc import Habit
from annqc.run.review import queue_rows
from annqc.run.review.rows import KINDS
from annqc.tables import Annotations

BUDGETS = (0.05, 0.1, 0.2)
MISTAKES = 0.005
N_IMAGES = 80
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
SORTS = ("all", "slips", "bias")
"""Which errors are to be found: all, those that are not a habit, and those that are."""


FLEETS = {
    "many": {
        "ann": [],
        "bob": Habit.loose("right", px=6),
        "cal": Habit.parse("gross 5 %, misses 4 %"),
        "dan": [],
        "eve": Habit.parse("wrong labels 6 %, extras 5 %"),
        "fay": Habit.parse("tight top 5 %, misses 2 %"),
        "gus": [],
        "hal": Habit.parse("gross 3 %, duplicates 2 %, wrong labels 2 %"),
    },
    "few": {
        "ann": [],
        "bob": [],
        "cal": Habit.parse("gross 4 %, misses 3 %"),
        "dan": [],
        "eve": Habit.parse("wrong labels 4 %, extras 4 %"),
        "fay": Habit.parse("misses 3 %"),
        "gus": [],
        "hal": Habit.parse("gross 2 %, duplicates 2 %, wrong labels 2 %"),
    },
    "none": {name: [] for name in ("ann", "bob", "cal", "dan", "eve", "fay", "gus", "hal")},
}
"""Eight annotators with many, few and no planted errors."""


@dataclass(frozen=True, eq=False)
class Staged:
    """Work, a gold with mistakes, and which units are errors: slips, and habits that show."""

    audit: annqc.Audit
    slip: np.ndarray
    bias: np.ndarray
    true_of_gold: np.ndarray
    drew: set[tuple[int, int]]
    n_missed: int

    @property
    def wrong_drawn(self):
        return self.slip | self.bias

    @property
    def n_units(self):
        return len(self.slip) + self.n_missed

    def n_errors(self, sort="all"):
        drawn = {"all": self.wrong_drawn, "slips": self.slip, "bias": self.bias & ~self.slip}[sort]
        return int(drawn.sum()) + (0 if sort == "bias" else self.n_missed)


def stage(seed, *, fleet="many", n_images=N_IMAGES, overlap=3, without_gold=False):
    made = annqc.simulate(FLEETS[fleet], n_images=n_images, overlap=overlap, gold_sd=0.5, rng=seed)
    rng = np.random.default_rng([seed, 1])
    gold, true_of_gold = spoilt(made.gold, rng)
    work, truth = made.work, made.gold
    table, origin = work.table, made.origin
    real = origin >= 0
    slip, bias = ~real, np.zeros(len(table), dtype=bool)
    edges = (table.xyxy - made.truth[origin]) * [-1, -1, 1, 1]
    sides = made.truth[origin][:, 2:] - made.truth[origin][:, :2]
    tolerance = np.tile(np.maximum(1.0, 0.02 * sides), 2)
    far = np.abs(edges) >= 3 * tolerance
    for one in made.planted:  # a habit of more than the tolerance, on boxes in which it shows
        if one.kind == "offset":
            edge = ("out_left", "out_top", "out_right", "out_bottom").index(one.quantity)
            size = one.size * (sides[:, edge % 2] if one.unit == "rel" else np.ones(len(sides)))
            mine = work.annotator_ids[table.annotator] == one.annotator
            mine &= (np.abs(size) > tolerance[:, edge]) & real
            bias |= mine & (edges[:, edge] * np.sign(size) >= tolerance[:, edge])
            far[mine, edge] &= np.abs(edges[mine, edge] - size[mine]) >= 3 * tolerance[mine, edge]
    slip |= far.any(axis=1)
    slip |= table.category != truth.table.category[origin]
    seen = {}
    for row in np.flatnonzero(real).tolist():
        key = (int(table.annotator[row]), int(origin[row]))
        slip[row] |= seen.setdefault(key, row) != row
    asked = {
        (int(a), int(t))
        for a, i in work.assigned.tolist()
        for t in np.flatnonzero(truth.table.image == i)
    }
    drew = set(seen)
    audit = annqc.audit(work) if without_gold else annqc.audit(work, gold)
    return Staged(audit, slip, bias, true_of_gold, drew, len(asked - drew))


def spoilt(gold, rng):
    """Gold with mistakes, and the true object of each of its rows, -1 for none."""
    table, n = gold.table, len(gold)
    kept = np.flatnonzero(rng.random(n) >= MISTAKES)
    more = rng.choice(n, int(MISTAKES * n), replace=False)
    rows = np.concatenate([kept, more])
    invented = np.arange(len(rows)) >= len(kept)
    image = np.where(invented, rng.integers(0, len(gold.image_table), len(rows)), table.image[rows])
    category = table.category[rows].copy()
    relabelled = ~invented & (rng.random(len(rows)) < MISTAKES)
    category[relabelled] = (category[relabelled] + 1) % len(gold.category_ids)
    made = Annotations.build(
        image=image,
        annotator=np.zeros(len(rows), dtype=np.int64),
        category=category,
        xyxy=table.xyxy[rows],
    )
    return replace(gold, table=made, n_rows=len(made)), np.where(invented, -1, rows)


def units_of(staged, reference, candidate, annotator, sort="all"):
    """Whether each unit of a queue is an error of a sort."""
    drawn = candidate >= 0
    wrong = {"all": staged.wrong_drawn, "slips": staged.slip, "bias": staged.bias & ~staged.slip}
    found = np.zeros(len(candidate), dtype=bool)
    found[drawn] = wrong[sort][candidate[drawn]]
    if sort == "bias":
        return found
    for k in np.flatnonzero(~drawn & (annotator >= 0)).tolist():
        true = int(staged.true_of_gold[reference[k]])
        found[k] = true >= 0 and (int(annotator[k]), true) not in staged.drew
    return found


def our_order(staged):
    """Row numbers in the order of the queue."""
    rows = queue_rows(staged.audit)
    return (rows["reference"], rows["candidate"], rows["annotator"]), rows


def iou_order(staged, seed):
    """Smallest IoU first; what has no partner or another label has none. Ties at random."""
    matches = staged.audit.matches
    n = len(matches.candidate.table)
    iou = np.zeros(n)
    right = ~matches.mislabelled
    iou[matches.matched_candidate[right]] = matches.matched_iou[right]
    alone = matches.missed_partner < 0
    gold, who = matches.missed_reference[alone], matches.missed_annotator[alone]
    reference = np.concatenate([np.full(n, -1), gold])
    candidate = np.concatenate([np.arange(n), np.full(len(gold), -1)])
    annotator = np.concatenate([matches.candidate.table.annotator, who])
    value = np.concatenate([iou, np.zeros(len(gold))])
    chance = np.random.default_rng(seed).random(len(value))
    order = np.lexsort((chance, value))
    return reference[order], candidate[order], annotator[order]


def caught(found, staged, sort="all"):
    """Share of the errors of a sort that are caught within each budget."""
    n = max(staged.n_errors(sort), 1)
    return [found[: int(b * staged.n_units)].sum() / n for b in BUDGETS]


def curves(seeds, **more):
    """Shares of the errors caught, (sort, seed, way, budget).

    The ways: ours, by IoU, at random, and every look a hit.
    """
    rows = {sort: [] for sort in SORTS}
    for seed in seeds:
        staged = stage(seed, **more)
        orders = our_order(staged)[0], iou_order(staged, seed)
        rng = np.random.default_rng(seed)
        for sort in SORTS:
            ours, by_iou = (units_of(staged, *one, sort) for one in orders)
            best = np.arange(staged.n_units) < staged.n_errors(sort)
            ways = (ours, by_iou, rng.permutation(by_iou), best)
            rows[sort].append([caught(one, staged, sort) for one in ways])
    return {sort: np.array(one) for sort, one in rows.items()}


def reliability(seeds, **more):
    """Kind, probability, and whether it holds, of each row that accuses an annotator; and its rank.

    A habit that shows is wrong, as a slip is.
    """
    kinds, said, held, rank = [], [], [], []
    for seed in seeds:
        staged = stage(seed, **more)
        order, rows = our_order(staged)
        some = rows["kind"] != KINDS.index("gold")
        kinds.append(rows["kind"][some])
        said.append(rows["probability"][some])
        held.append(units_of(staged, *order)[some])
        rank.append(np.flatnonzero(some))
    return tuple(np.concatenate(one) for one in (kinds, said, held, rank))


def share_of_errors(seeds, **more):
    """Mean share of the annotations that are errors."""
    return float(
        np.mean([one.n_errors() / one.n_units for one in (stage(s, **more) for s in seeds)])
    )


def print_curves(seeds, fleet, overlap, n_images):
    found = curves(seeds, fleet=fleet, overlap=overlap, n_images=n_images)
    for sort, one in found.items():
        print(f"  {sort}: caught after " + ", ".join(f"{100 * b:.0f} %" for b in BUDGETS))
        error = 100 * (one[:, 0] - one[:, 1]).std(axis=0, ddof=1) / np.sqrt(len(one))
        for name, row in zip(("ours", "IoU", "random", "best"), one.mean(axis=0), strict=True):
            print(f"    {name:<8}" + "".join(f"{100 * share:8.1f}" for share in row))
        print("    ours - IoU, standard error" + "".join(f"{value:6.1f}" for value in error))


def print_reliability(seeds, fleet, overlap, n_images):
    kinds, said, held, rank = reliability(seeds, fleet=fleet, overlap=overlap, n_images=n_images)
    first = rank < 100
    n = len(seeds)
    print(f"  first 100: {said[first].sum() / n:.1f} said, {held[first].sum() / n:.1f} hold")
    print("  P            rows    said    held")
    for low, high in pairwise(BINS):
        mine = (said >= low) & ((said < high) | (high == 1))
        if mine.any():
            told = f"{said[mine].mean():8.3f}{held[mine].mean():8.3f}"
            print(f"  {low:.1f} to {high:.1f}{mine.sum():8}{told}")
    for k, name in enumerate(KINDS):
        mine = kinds == k
        if mine.any():
            print(f"  {name:<14}{mine.sum():7}{said[mine].mean():8.3f}{held[mine].mean():8.3f}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-images", type=int, help="80 for three an image, 240 for one")
    parser.add_argument("--overlap", type=int, nargs="*", default=[3, 1], help="each of 3 and 1")
    parser.add_argument("--seeds", type=int, default=20, help="how many works")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them")
    given = parser.parse_args(arguments)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    for overlap in given.overlap:
        n_images = given.n_images or N_IMAGES * (3 if overlap == 1 else 1)
        for fleet in FLEETS:
            print(f"{fleet} errors, {overlap} annotators an image, {n_images} images")
            share = share_of_errors(seeds, fleet=fleet, overlap=overlap, n_images=n_images)
            print(f"  {100 * share:.1f} % are errors")
            if fleet != "none":
                print_curves(seeds, fleet, overlap, n_images)
            print_reliability(seeds, fleet, overlap, n_images)


if __name__ == "__main__":
    main()
