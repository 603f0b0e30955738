"""Which drawing means which object, in memory: one threshold, same category first, then any."""

from __future__ import annotations

from annqc.match import MatchPolicy, match
from annqc.match.authors import authored
from annqc.match.categories import align_categories
from annqc.match.counting import count_matches
from annqc.match.images import align_images
from annqc.match.tasks import lay_out

from .oneiou import matched_ids
from .peers import Evaluators, ImageByImage, load
from .report import Goal, Row
from .timing import interleave, same

PEERS = {
    "motrics": ("motrics per image and category", "motrics"),
    "masks_and_scipy": ("pycocotools.mask.iou + scipy", "pycocotools.mask"),
    "motrics_apart": ("motrics per image, categories moved apart", "motrics"),
}
"""Method of `ImageByImage` -> what it is called, and the module that must be there."""

UNUSUAL = ("motrics_apart",)
"""No usual way to call the peer, but the quickest that we know of: no goal stands on it."""


class Laid:
    """Two datasets, and what they share: the numbering of images and of categories."""

    def __init__(self, made):
        self.gold, self.work = made.gold, made.work
        self.image_rows, _ = align_images(made.gold.image_table, made.work.image_table)
        self.categories = align_categories(made.gold, made.work)
        self.barred = authored(made.gold, made.work)


def pairs(laid, *, engine, method="optimal"):
    """Match at the counting threshold, and no more: what the peers do."""
    gold, work = laid.gold, laid.work
    tasks = lay_out(
        gold,
        work,
        image_of_candidate=laid.image_rows[work.table.image],
        image_rows=laid.image_rows,
        ref_category=laid.categories.reference[gold.table.category],
        cand_category=laid.categories.candidate[work.table.category],
        barred=laid.barred,
    )
    edges = tasks.edges(engine=engine)
    score = work.table.score[tasks.cand_row]
    counted = count_matches(tasks, edges, MatchPolicy(method=method), score=score, engine=engine)
    return tasks, edges, counted


def outcome(laid, *, engine):
    """Pairs of the same category, pairs of two, and total IoU."""
    _, edges, counted = pairs(laid, engine=engine)
    other = int(counted.mislabelled.sum())
    return len(counted.matched) - other, other, float(edges.iou[counted.matched].sum())


def compare(made, name, *, engines, size, rounds, grouped=True):
    """Check that all contestants agree, time them in turn, and yield the rows.

    ``engines`` is a dict of engine to goal. Below the rows with goals come those of the whole of
    `match`, and of peers that are given their boxes grouped.
    """
    laid = Laid(made)
    ours = {engine: outcome(laid, engine=engine) for engine in engines}
    contestants = {engine: lambda e=engine: pairs(laid, engine=e) for engine in engines}
    for engine in engines:
        contestants[f"match {engine}"] = lambda e=engine: match(made.gold, made.work, engine=e)
    later = {}
    plain, ready = ImageByImage(made), ImageByImage(made, grouped=True)
    for peer, (label, module) in PEERS.items():
        if load(module) is None:
            continue
        contestants[peer] = getattr(plain, peer)
        later[f"{peer} grouped"] = getattr(ready, peer)
        theirs = contestants[peer]()
        for engine, (same_category, other, total) in ours.items():
            what = f"{name}, {engine} and {label}"
            same(f"{what}, pairs", (same_category, other), theirs[:2])
            same(f"{what}, total IoU", total, theirs[2], within=1e-9)
    times = interleave(contestants, budget=size.budget, rounds=rounds)
    n = sum(next(iter(ours.values()))[:2])
    note = f"{n:,} pairs and their total IoU, equal for all"
    for engine, goal in engines.items():
        for peer in PEERS:
            asked = Goal() if peer in UNUSUAL else goal
            yield _row(name, times, engine, f"pairs, {engine}", peer, PEERS[peer][0], asked, note)
    for engine in engines:
        key = f"match {engine}"
        note = (
            "'match' is the whole of annqc.match: aligned images, offset pairs and named errors too"
        )
        yield _row(name, times, key, key, "motrics", PEERS["motrics"][0], Goal(), note)
    if not grouped:
        return
    best = list(engines)[-1]
    # on their own: the many small arrays that these peers hold on to slow allocation down
    later[best] = contestants[best]
    times = interleave(later, budget=size.budget / 2, rounds=rounds)
    note = (
        "grouped peers got their boxes grouped by image (and category) beforehand, free of charge"
    )
    for peer in PEERS:
        label = f"{PEERS[peer][0]}, grouped"
        yield _row(name, times, best, f"pairs, {best}", f"{peer} grouped", label, Goal(), note)


def _row(name, times, key, label, peer, peer_label, goal, note):
    there = peer in times.seconds
    return Row(
        work=name,
        ours=label,
        cpu=times.cpu(key),
        peer=peer_label,
        peer_cpu=times.cpu(peer) if there else None,
        ratio=times.ratio(key, peer) if there else None,
        goal=goal,
        note=note,
    )


def match_w1(works):
    """Match W1 at one threshold."""
    made, size = works.w1, works.size
    engines = {"numpy": Goal(faster=8, cpu=0.015), "numba": Goal(faster=8, cpu=0.008)}
    name = f"match {len(made.work):,} boxes"
    yield from compare(made, name, engines=engines, size=size, rounds=size.rounds)
    yield from evaluators(made, size)


def match_10(works):
    """Match ten annotators."""
    made, size = works.w1x10, works.size
    engines = {"numpy": Goal(), "numba": Goal(faster=15, cpu=0.075)}
    name = f"match {len(made.work):,} boxes of 10"
    yield from compare(
        made, name, engines=engines, size=size, rounds=(size.rounds[0], 5), grouped=False
    )


def evaluators(made, size):
    """COCOeval's own order of choice, by score, against COCOeval and faster-coco-eval."""
    name = f"COCOeval's matching, {len(made.work):,} boxes"
    found, laid = Evaluators(made), Laid(made)
    tasks, edges, counted = pairs(laid, engine="numba", method="coco")
    kept = counted.matched[~counted.mislabelled]
    gold_ids = made.gold.table.id[tasks.ref_row[edges.reference[kept]]]
    result_ids = 1 + tasks.cand_row[edges.candidate[kept]]
    ours = sorted(zip(gold_ids.tolist(), result_ids.tolist(), strict=True))
    peers = {"pycocotools": "pycocotools.cocoeval", "faster": "faster_coco_eval"}
    missing = [peer for peer, module in peers.items() if load(module) is None]
    contestants = {"coco": lambda: pairs(laid, engine="numba", method="coco")}
    if "pycocotools" not in missing:
        same(f"{name}, pairs", ours, matched_ids(found.pycocotools()))
        contestants["pycocotools"] = found.pycocotools
    if "faster" not in missing:
        same(f"{name}, number of pairs", len(ours), found.n_of_faster(found.faster()))
        contestants["faster"] = found.faster
    times = interleave(contestants, budget=size.budget, rounds=(size.rounds[0], 3))
    for peer, label in (("pycocotools", "pycocotools COCOeval"), ("faster", "faster-coco-eval")):
        there = peer not in missing
        yield Row(
            work=name,
            ours="numba, method coco",
            cpu=times.cpu("coco"),
            peer=label,
            peer_cpu=times.cpu(peer) if there else None,
            ratio=times.ratio("coco", peer) if there else None,
            note=f"one threshold, all scores equal, {len(ours):,} pairs of one category; "
            "annqc then goes on to pairs of two",
        )
