"""run: what in the work, and in the gold, makes one ask where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import encode
from annqc.infer.rates import rate_sums
from annqc.infer.suspicions.contradicted import KINDS, contradicted, not_in_gold
from annqc.infer.suspicions.empty import drew_nothing
from annqc.infer.suspicions.identity import Drawn
from annqc.infer.suspicions.opinions import opinions_of
from annqc.infer.suspicions.sources import components, same_sources
from annqc.infer.suspicions.stamps import find_stamps
from annqc.match.authors import authored
from annqc.match.images import align_images
from annqc.measure.tolerance import Tolerance

if TYPE_CHECKING:
    from annqc.infer.suspicions.contradicted import Contradicted
    from annqc.infer.suspicions.sources import Sources
    from annqc.match.matches import Matches
    from annqc.tables import Array, Bools, Dataset, Floats, Ints

__all__ = ["COLUMNS", "SUSPICIONS", "one_source", "suspicion_columns"]

SUSPICIONS: Final = (
    "circular_gold",
    "same_source",
    "stamps",
    "contradicted_gold",
    "drew_nothing",
)
"""The kinds, in the order of the rows."""
COLUMNS: Final = (
    "kind",
    "annotators",
    "n",
    "of",
    "share",
    "share_low",
    "share_high",
    "expected",
    "p_value",
    "p_adjusted",
    "image_id",
    "annotation_id",
    "text",
)
WHOLE: Final = 0.9
"""From this share of the images with gold on, all of it is spoken of."""
SIDES: Final = ("left", "top", "right", "bottom")

Row = dict[str, Any]


def suspicion_columns(
    dataset: Dataset, matches: Matches | None = None, *, tolerance: Tolerance | None = None
) -> dict[str, Array]:
    """List what should be looked at before any figure is believed.

    Parameters
    ----------
    dataset : Dataset
        The work of several annotators.
    matches : Matches, optional
        The work compared with gold; ``matches.candidate`` is the same work.
    tolerance : Tolerance, optional
        How far an edge of the gold may be from where annotators put it; that of an audit if not
        given.

    Returns
    -------
    dict of str to array
        `COLUMNS`, one row a suspicion, in the order of `SUSPICIONS` and then of p-values.
        ``annotators`` is a tuple of ids as they were given, ``n`` of ``of`` the boxes, images or
        annotators that it rests on, ``share`` their share with its interval (Korn-Graubard,
        clustered by image or video), ``expected`` the share by chance, NaN where there is none.
        ``image_id`` and ``annotation_id`` are of the object of the gold, or of the work where the
        gold has none, and None where the suspicion is not about one object. ``text`` says it.

    Notes
    -----
    Crowd regions and ignored boxes take no part. Nobody in particular (`annqc.tables.NAMELESS`) is
    suspected of nothing, but that the gold is their work is said. A suspicion is a reason to look.
    """
    drawn, gold, known = _drawn(dataset, matches)
    nameless = dataset.nameless
    found = same_sources(drawn, gold=gold, known=known)
    unnamed = np.append(nameless, False)
    of_nobody = unnamed[found.left] | (unnamed[found.right] & (found.right != gold))
    named = found.named & (~of_nobody | (found.right == gold))
    rows = _sources(dataset, drawn, found, named, gold)
    rows += _stamps(dataset, drawn, gold)
    if matches is not None:
        alone = _alone(found, gold, len(dataset.annotator_ids))
        rows += _contradicted(matches, alone, tolerance or Tolerance())
    rows += _empty(dataset, drawn, gold)
    return {name: _column([row[name] for row in rows], name) for name in COLUMNS}


def one_source(dataset: Dataset) -> Ints:
    """Give annotators whose boxes have one source one number: in a consensus copies count once.

    Parameters
    ----------
    dataset : Dataset
        The work of several annotators.

    Returns
    -------
    (A,) int64
        Equal where more than half of the boxes that two drew of the same objects are the same, and
        more than chance makes so.
    """
    n = len(dataset.annotator_ids)
    found = same_sources(_drawn(dataset, None)[0])
    mostly = found.named & (2 * found.identical > found.n)
    return components(found.left[mostly], found.right[mostly], n)


def _column(values: list[Any], name: str) -> Array:
    if name in ("n", "of"):
        return np.array(values, dtype=np.int64)
    if name in ("share", "share_low", "share_high", "expected", "p_value", "p_adjusted"):
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _drawn(dataset: Dataset, matches: Matches | None) -> tuple[Drawn, int, Bools]:
    """Boxes of the annotators and of the gold, on the images of the work."""
    table, images = dataset.table, dataset.image_table
    rows = np.flatnonzero(~(table.crowd | table.ignored))
    xyxy, image, author = table.xyxy[rows], table.image[rows], table.annotator[rows]
    known, gold = np.zeros(len(rows), dtype=bool), -1
    if matches is not None:
        gold = len(dataset.annotator_ids)
        theirs = matches.reference.table
        here = _images_of_gold(dataset, matches)[theirs.image]
        use = np.flatnonzero((here >= 0) & ~(theirs.crowd | theirs.ignored))
        at = matches.image_of_candidate[rows]
        own = authored(matches.reference, dataset)
        known = (at >= 0) & np.isin(author * len(matches.reference.image_table) + at, own)
        xyxy = np.concatenate([xyxy, theirs.xyxy[use]])
        image = np.concatenate([image, here[use]])
        author = np.concatenate([author, np.full(len(use), gold)])
        known = np.concatenate([known, np.zeros(len(use), dtype=bool)])
    cluster = _clusters(dataset)[image]
    size = np.stack([images.width, images.height], axis=1)[image]
    drawn = Drawn(xyxy=xyxy, image=image, author=author, cluster=cluster, size=size)
    return drawn, gold, known


def _images_of_gold(dataset: Dataset, matches: Matches) -> Ints:
    """For each image of the gold its row in the work, -1 where it has none."""
    gold = matches.reference.image_table
    row_of = align_images(gold, dataset.image_table)[0]
    here = np.full(len(gold), -1, dtype=np.int64)
    here[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    return here


def _clusters(dataset: Dataset) -> Ints:
    """For each image its video, or itself."""
    sequence = dataset.image_table.sequence
    n = len(dataset.image_table)
    return np.arange(n) if sequence is None else encode(sequence)[0]


def _sources(dataset: Dataset, drawn: Drawn, found: Sources, named: Bools, gold: int) -> list[Row]:
    """Annotators whose boxes are the gold's, or one another's."""
    n_authors = len(dataset.annotator_ids) + (gold >= 0)
    among = named & (found.right != gold)
    group = components(found.left[among], found.right[among], n_authors)
    with_gold = np.zeros(n_authors, dtype=bool)
    with_gold[found.left[named & ~among]] = True
    rows = []
    for one in np.unique(group[np.concatenate([found.left[named], found.right[named]])]).tolist():
        members = np.flatnonzero(group == one)
        if members.tolist() == [gold]:
            continue
        circular = bool(with_gold[members].any())
        pairs = named & np.isin(found.left, members)
        if circular:
            pairs &= found.right == gold
        rows.append(_source(dataset, drawn, found, pairs, members, gold if circular else -1))
    return sorted(rows, key=lambda row: (SUSPICIONS.index(row["kind"]), row["p_value"]))


def _source(
    dataset: Dataset, drawn: Drawn, found: Sources, pairs: Bools, members: Ints, gold: int
) -> Row:
    rows = pairs[found.pair_of]
    same, left = found.pairs.same[rows], found.pairs.left[rows]
    cluster, zeros = drawn.cluster[left], np.zeros(len(left), dtype=np.int64)
    rate = rate_sums(same, np.ones(len(same)), zeros, cluster, 1).finish()
    ends = np.concatenate([found.left[pairs], found.right[pairs]])
    weakest = [
        max(float(np.tile(p[pairs], 2)[ends == one].min()) for one in np.unique(ends).tolist())
        for p in (found.p_value, found.p_adjusted)
    ]
    expected = float(np.average(found.expected[pairs], weights=found.n[pairs]))
    ids = dataset.annotator_ids[members]
    row = _row(
        "same_source" if gold < 0 else "circular_gold",
        ids,
        (int(same.sum()), len(same), float(rate.low[0]), float(rate.high[0])),
        (expected, *weakest),
    )
    counts = f"{row['n']:,} of {row['of']:,} boxes of the same objects are identical to the last "
    counts += f"digit ({row['share']:.0%}), where chance makes {_percent(expected)}"
    who = _names(ids)
    if gold < 0 and len(ids) == 2:
        row["text"] = f"{who} seem to have the same source: {counts}. Look at where they came from."
    elif gold < 0:
        row["text"] = (
            f"{who} seem to have the same source, such as a model's boxes: between them {counts}. "
            "They count as one opinion."
        )
    else:
        part = _part(drawn, drawn.image[left], same, gold)
        plural = "Their figures" if len(ids) > 1 else f"The figures of {who}"
        row["text"] = (
            f"{part} seems to have the same source as the work of {who}: {counts}. "
            f"{plural} against this gold mean nothing there."
        )
    return row


def _part(drawn: Drawn, image: Ints, same: Bools, gold: int) -> str:
    """Say on how many images most boxes of the gold are an annotator's."""
    width = int(drawn.image.max(initial=-1)) + 1
    objects = np.bincount(drawn.image[drawn.author == gold], minlength=width)
    copied = np.bincount(image, same, width)
    n, of = int((2 * copied > objects)[objects > 0].sum()), int((objects > 0).sum())
    if n >= WHOLE * of:
        return f"The gold ({n:,} of {of:,} images)"
    return f"Part of the gold ({n:,} of {of:,} images, by most of their boxes)"


def _stamps(dataset: Dataset, drawn: Drawn, gold: int) -> list[Row]:
    """Sizes that annotators repeat."""
    found = find_stamps(drawn)
    nameless = np.append(dataset.nameless, True)  # nor is the gold's own repetition anybody's
    rows = []
    for k in np.flatnonzero(found.named & (found.author != gold)).tolist():
        if nameless[found.author[k]]:
            continue
        ids = dataset.annotator_ids[found.author[k : k + 1]]
        count, n = int(found.count[k]), int(found.n[k])
        mine = drawn.author == found.author[k]
        size = drawn.xyxy[mine, 2:] - drawn.xyxy[mine, :2]
        same = (np.abs(size - [found.width[k], found.height[k]]) <= 1e-5).all(axis=1)
        zeros = np.zeros(len(same), dtype=np.int64)
        rate = rate_sums(same, np.ones(len(same)), zeros, drawn.cluster[mine], 1).finish()
        row = _row(
            "stamps",
            ids,
            (count, n, float(rate.low[0]), float(rate.high[0])),
            (float(found.expected[k]) / n, float(found.p_value[k]), float(found.p_adjusted[k])),
        )
        row["text"] = (
            f"{_names(ids)} drew {count:,} boxes of exactly {found.width[k]:g} x "
            f"{found.height[k]:g} px, on {int(found.clusters[k]):,} images or videos; boxes of "
            f"nearly that size, and those of others, lead one to expect {found.expected[k]:.2g}. "
            "Look at whether they were pasted."
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row["p_value"])


def _alone(found: Sources, gold: int, n: int) -> Bools:
    """Annotators who count as one opinion each: one of every source, none of the gold's."""
    among = found.named & (found.right != gold)
    group = components(found.left[among], found.right[among], n)
    of_gold = np.isin(group, group[found.left[found.named & (found.right == gold)]])
    return np.asarray((group == np.arange(n)) & ~of_gold)


def _contradicted(matches: Matches, alone: Bools, tolerance: Tolerance) -> list[Row]:
    """Objects that annotators see otherwise than the gold."""
    gold, work = matches.reference.table, matches.candidate.table
    tasks = alone[matches.task_annotator]
    task_annotator, task_image = matches.task_annotator[tasks], matches.task_image[tasks]
    opinions = opinions_of(matches, task_annotator, task_image)
    side = gold.xyxy[:, 2:] - gold.xyxy[:, :2]
    limits = np.maximum(tolerance.px, tolerance.rel * np.tile(side, 2))
    labels = np.asarray(matches.reference_category)
    seen = contradicted(opinions, limits, labels)
    rows = [_against(matches, seen, k, limits) for k in np.flatnonzero(seen.named).tolist()]
    extra = matches.spurious_candidate
    extra = extra[alone[work.annotator[extra]]]
    places = matches.image_of_candidate[extra]
    more = not_in_gold(places, work.annotator[extra], work.xyxy[extra], task_image, task_annotator)
    for k in np.flatnonzero(more.named).tolist():
        row = _votes(more, k)
        row["image_id"] = matches.reference.image_table.id[places[more.object[k]]]
        row["annotation_id"] = work.id[extra[more.object[k]]]
        row["text"] = (
            f"{row['n']} of {row['of']} annotators who were asked, each on their own, drew an "
            f"object on image {row['image_id']!s} that the gold does not have (the work's "
            f"annotation {row['annotation_id']!s}). Look at the gold."
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row["p_value"])


def _votes(seen: Contradicted, k: int) -> Row:
    n, of = int(seen.against[k]), int(seen.asked[k])
    p = float(seen.p_value[k]), float(seen.p_adjusted[k])
    return _row("contradicted_gold", (), (n, of, np.nan, np.nan), (np.nan, *p))


def _against(matches: Matches, seen: Contradicted, k: int, limits: Floats) -> Row:
    row = _votes(seen, k)
    gold, one = matches.reference, int(seen.object[k])
    row["image_id"] = gold.image_table.id[gold.table.image[one]]
    row["annotation_id"] = gold.table.id[one]
    said = f"the gold's annotation {row['annotation_id']!s} on image {row['image_id']!s}"
    votes = f"{row['n']} of {row['of']} annotators, each on their own,"
    kind = KINDS[seen.kind[k]]
    if kind == "edge":
        edge, far = int(seen.edge[k]), float(seen.far[k])
        where = "further out" if far > 0 else "further in"
        row["text"] = (
            f"{votes} put the {SIDES[edge]} edge of {said} {where}, by about {abs(far):.1f} px "
            f"(tolerance {limits[one, edge]:.1f} px). Look at the gold."
        )
    elif kind == "label":
        names = matches.category_names
        theirs, its = names[seen.label[k]], names[matches.reference_category[one]]
        row["text"] = f"{votes} say {theirs!s} of {said}, which says {its!s}. Look at the gold."
    else:
        row["text"] = (
            f"{row['n']} of {row['of']} annotators who were asked, each on their own, did not draw "
            f"{said}. Look at whether it is there."
        )
    return row


def _empty(dataset: Dataset, drawn: Drawn, gold: int) -> list[Row]:
    """Annotators who left images empty that they were asked for."""
    if dataset.assigned is None or not len(dataset.assigned):
        return []
    n = len(dataset.image_table)
    asked = np.unique(dataset.assigned, axis=0)
    asked = asked[~dataset.nameless[asked[:, 0]]]
    table = dataset.table  # a crowd region is something drawn as well
    drew = np.isin(asked[:, 0] * n + asked[:, 1], table.annotator * n + table.image)
    there = np.isin(np.arange(n), drawn.image[drawn.author == gold])[asked[:, 1]]
    found = drew_nothing(
        asked[:, 0],
        asked[:, 1],
        drew,
        there,
        cluster=_clusters(dataset)[asked[:, 1]],
        n_annotators=len(dataset.annotator_ids),
    )
    rows = []
    for k in np.flatnonzero(found.named).tolist():
        ids = dataset.annotator_ids[k : k + 1]
        rate, expected = found.rate, float(found.expected[k])
        counts = int(rate.events[k]), int(rate.trials[k])
        row = _row(
            "drew_nothing",
            ids,
            (*counts, float(rate.low[k]), float(rate.high[k])),
            (expected, float(found.p_value[k]), float(found.p_adjusted[k])),
        )
        row["text"] = (
            f"{_names(ids)} drew nothing on {counts[0]:,} of {counts[1]:,} images that they were "
            f"asked for and that have something to draw ({row['share']:.0%}); others leave "
            f"{_percent(expected)} of these empty. Look at whether they were done."
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row["p_value"])


def _row(
    kind: str, ids: Any, counts: tuple[int, int, float, float], chance: tuple[float, ...]
) -> Row:
    n, of, low, high = counts
    expected, p, adjusted = chance
    return {
        "kind": kind,
        "annotators": tuple(ids.tolist()) if len(ids) else (),
        "n": n,
        "of": of,
        "share": n / of,
        "share_low": low,
        "share_high": high,
        "expected": expected,
        "p_value": p,
        "p_adjusted": adjusted,
        "image_id": None,
        "annotation_id": None,
    }


def _names(ids: Array) -> str:
    names = [repr(str(one)) for one in ids.tolist()]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(share: float) -> str:
    return "less than 0.1 %" if share < 1e-3 else f"{100 * share:.1f} %"
