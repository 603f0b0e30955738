"""Errors caught against annotations reviewed, on work whose errors are known and doubtful gold.

The gold has mistakes of its own: it misses 0.5 % of the objects, invents 0.5 %, gives 0.5 % another
label and has half a pixel of error on each edge. Run as ``python -m tests.calibration.review``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import annqc
from annqc import Habit
from annqc.run.review import queue_rows
from annqc.run.reviewrows import KINDS
from annqc.tables import Annotations

BUDGETS = (0.05, 0.1, 0.2)
MISTAKES = 0.005


def fleet():
    """Eight annotators: three clean ones, and five with habits."""
    return {
        "ann": [],
        "bob": Habit.loose("right", px=6),
        "cal": Habit.parse("gross 5 %, misses 4 %"),
        "dan": [],
        "eve": Habit.parse("wrong labels 6 %, extras 5 %"),
        "fay": Habit.parse("tight top 5 %, misses 2 %"),
        "gus": [],
        "hal": Habit.parse("gross 3 %, duplicates 2 %, wrong labels 2 %"),
    }


@dataclass(frozen=True, eq=False)
class Staged:
    """Work, a gold with mistakes, and which units are errors."""

    audit: annqc.Audit
    wrong_drawn: np.ndarray
    true_of_gold: np.ndarray
    drew: set[tuple[int, int]]
    n_errors: int
    n_units: int


def stage(seed, *, n_images=80, overlap=3, without_gold=False):
    made = annqc.simulate(fleet(), n_images=n_images, overlap=overlap, gold_sd=0.5, rng=seed)
    rng = np.random.default_rng([seed, 1])
    gold, true_of_gold = spoilt(made.gold, rng)
    work, truth = made.work, made.gold
    table, origin = work.table, made.origin
    real = origin >= 0
    wrong = ~real
    edges = (table.xyxy - made.truth[origin]) * [-1, -1, 1, 1]
    sides = made.truth[origin][:, 2:] - made.truth[origin][:, :2]
    tolerance = np.tile(np.maximum(1.0, 0.02 * sides), 2)
    wrong |= (np.abs(edges) >= 3 * tolerance).any(axis=1)
    wrong |= table.category != truth.table.category[origin]
    for one in made.planted:  # what a biased annotator draws beyond the tolerance
        if one.kind == "offset":
            edge = ("out_left", "out_top", "out_right", "out_bottom").index(one.quantity)
            size = one.size * (sides[:, edge % 2] if one.unit == "rel" else 1.0)
            mine = work.annotator_ids[table.annotator] == one.annotator
            wrong |= mine & (np.abs(size) > tolerance[:, edge])
    seen = {}
    for row in np.flatnonzero(real).tolist():
        key = (int(table.annotator[row]), int(origin[row]))
        wrong[row] |= seen.setdefault(key, row) != row
    asked = {
        (int(a), int(t))
        for a, i in work.assigned.tolist()
        for t in np.flatnonzero(truth.table.image == i)
    }
    drew = set(seen)
    missed = len(asked - drew)
    audit = annqc.audit(work) if without_gold else annqc.audit(work, gold)
    return Staged(audit, wrong, true_of_gold, drew, int(wrong.sum()) + missed, len(wrong) + missed)


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


def units_of(staged, reference, candidate, annotator):
    """Whether each unit of a queue is an error."""
    found = np.zeros(len(candidate), dtype=bool)
    drawn = candidate >= 0
    found[drawn] = staged.wrong_drawn[candidate[drawn]]
    for k in np.flatnonzero(~drawn & (annotator >= 0)).tolist():
        true = int(staged.true_of_gold[reference[k]])
        found[k] = true >= 0 and (int(annotator[k]), true) not in staged.drew
    return found


def our_order(staged):
    rows = queue_rows(staged.audit)
    return units_of(staged, rows["reference"], rows["candidate"], rows["annotator"]), rows


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
    return units_of(staged, reference[order], candidate[order], annotator[order]), chance


def caught(found, staged):
    """Share of the errors that are caught within each budget."""
    return [found[: int(b * staged.n_units)].sum() / staged.n_errors for b in BUDGETS]


def curves(seeds, **more):
    """Mean share of the errors caught: ours, by IoU, and at random; and the share of errors."""
    rows = []
    for seed in seeds:
        staged = stage(seed, **more)
        ours, _ = our_order(staged)
        by_iou, _ = iou_order(staged, seed)
        shuffled = np.random.default_rng(seed).permutation(by_iou)
        share = staged.n_errors / staged.n_units
        ways = [caught(one, staged) for one in (ours, by_iou, shuffled)]
        rows.append([*ways, [share] * 3])
    return np.array(rows)


def reliability(seeds):
    """By kind and by bin of probability: how many there are, what was said, and what holds."""
    kinds, said, held = [], [], []
    for seed in seeds:
        staged = stage(seed)
        found, rows = our_order(staged)
        some = rows["kind"] != KINDS.index("gold")
        kinds.append(rows["kind"][some])
        said.append(rows["probability"][some])
        held.append(found[some])
    return np.concatenate(kinds), np.concatenate(said), np.concatenate(held)


def main():
    found = curves(range(20)).mean(axis=0)
    for name, row in zip(("ours", "IoU", "random", "errors"), found, strict=True):
        print(f"{name:<8}" + "".join(f"{100 * one:8.1f}" for one in row))
    kinds, said, held = reliability(range(20))
    for k, name in enumerate(KINDS):
        mine = kinds == k
        if mine.any():
            print(f"{name:<14}{mine.sum():7}{said[mine].mean():8.3f}{held[mine].mean():8.3f}")
    for low in np.arange(0, 1, 0.1):
        mine = (said >= low) & (said < low + 0.1)
        if mine.any():
            print(f"{low:.1f}{mine.sum():8}{said[mine].mean():8.3f}{held[mine].mean():8.3f}")


if __name__ == "__main__":
    main()
