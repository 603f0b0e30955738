"""measure: how far every two annotators agree on an image; or one annotator with themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annqc.errors import TableError, UnknownNameError
from annqc.ids import encode
from annqc.measure.couples import Couples, couples, paired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.kernels._jit import Engine
    from annqc.tables import Array, Dataset, Floats, Ints

__all__ = ["PairCounts", "pair_counts", "repeat_counts"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PairCounts:
    """What every two sides have in common on an image; sums over images are what counts.

    Attributes
    ----------
    group : (m,) int64
        Which pair of sides, a row of ``first`` and ``second``.
    image : (m,) int64
        Row of the image table.
    overlap, paired : (m,) float64
        Total IoU, and number, of the pairs at the low threshold.
    found : (m,) float64
        Number of the pairs at the counting threshold.
    drawn : (m,) float64
        Boxes of both sides together.
    same : (m,) float64
        Pairs at the counting threshold that have one category.
    first, second : (n_groups,) object
        Names of the sides.
    label_group, label_image, label_first, label_second : (p,) int64
        The categories of every pair at the counting threshold.
    edge_group, edge_image : (p,) int64
        Group and image of every pair at the low threshold.
    edges : (p, 4) float64
        The second side's ``out_left``, ``out_top``, ``out_right``, ``out_bottom`` against the
        first's, in pixels.
    """

    group: Ints
    image: Ints
    overlap: Floats
    paired: Floats
    found: Floats
    drawn: Floats
    same: Floats
    first: Array
    second: Array
    label_group: Ints
    label_image: Ints
    label_first: Ints
    label_second: Ints
    edge_group: Ints
    edge_image: Ints
    edges: Floats


def pair_counts(
    data: Dataset, *, iou: float = 0.5, pair_iou: float = 0.1, engine: Engine = "auto"
) -> PairCounts:
    """Compare every two annotators on every image that both were asked for.

    Parameters
    ----------
    data : Dataset
        The work. Whoever is assigned to an image or drew on it was asked for it. Crowds and ignored
        boxes are left out.
    iou : float
        Counting threshold, for F1 and categories.
    pair_iou : float
        Low threshold, for the mean IoU of pairs and for edges.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.

    Returns
    -------
    PairCounts
        One group for every two annotators with an image in common, by name in the order of the
        dataset.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob", "cid"], n_images=10, rng=1)
    >>> found = pair_counts(made.work)
    >>> list(zip(found.first.tolist(), found.second.tolist()))
    [('ann', 'bob'), ('ann', 'cid'), ('bob', 'cid')]
    """
    who = couples(data)
    n = max(len(data.annotator_ids), 1)
    present, group = np.unique(who.first * n + who.second, return_inverse=True)
    one, two = np.divmod(present, n)
    names = np.asarray(data.annotator_ids, dtype=object)
    return _counted(data, who, group, names[one], names[two], iou, pair_iou, engine)


def repeat_counts(
    data: Dataset,
    sessions: str | Sequence[tuple[object, object]],
    *,
    iou: float = 0.5,
    pair_iou: float = 0.1,
    engine: Engine = "auto",
) -> PairCounts:
    """Compare annotators with themselves, where they drew an image twice.

    Parameters
    ----------
    data : Dataset
        The work.
    sessions : str or sequence of (name, name)
        A column of the annotations that tells the sessions of an annotator apart; or ``"source"``,
        the files they came from; or the pairs of names that are one person.
    iou, pair_iou, engine
        As in `pair_counts`.

    Returns
    -------
    PairCounts
        One group for every annotator with a repeated image, all their sessions together. ``first``
        and ``second`` are the two names of one person, the same where a column tells sessions
        apart.

    Raises
    ------
    UnknownNameError
        There is no such column or annotator.
    TableError
        A name is paired with itself.

    Notes
    -----
    With a column, an image on which a session has no box is not seen to be repeated: nobody can
    tell "drew nothing" from "was not asked". With pairs of names, assignments tell.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "ann again", "bob"], n_images=10, rng=1)
    >>> found = repeat_counts(made.work, [("ann", "ann again")])
    >>> found.first.tolist(), len(found.image)
    (['ann'], 10)
    """
    names = np.asarray(data.annotator_ids, dtype=object)
    if isinstance(sessions, str):
        known = {"source": data.table.source, **data.table.extra}
        if sessions not in known:
            what = "column of the annotations"
            raise UnknownNameError.among(what, sessions, known)
        who = couples(data, session=encode(known[sessions])[0], within=True)
        present, group = np.unique(who.first, return_inverse=True)
        mine = names[present]
        return _counted(data, who, group, mine, mine, iou, pair_iou, engine)
    code_of = {name: code for code, name in enumerate(names.tolist())}
    asked = {}
    for k, both in enumerate(sessions):
        for name in both:
            if name not in code_of:
                what = "annotator"
                raise UnknownNameError.among(what, name, map(str, code_of))
        one, two = sorted(code_of[name] for name in both)
        if one == two:
            what = "two sessions of one person need two names"
            hint = "where a column tells sessions apart, give its name"
            raise TableError(what, found=f"{both[0]!r} twice", hint=hint)
        asked[one, two] = k
    who = couples(data)
    group = np.array(
        [asked.get(both, -1) for both in zip(who.first.tolist(), who.second.tolist(), strict=True)],
        dtype=np.int64,
    )
    pairs = list(sessions)
    first, second = (np.array([both[k] for both in pairs], dtype=object) for k in (0, 1))
    kept = group >= 0
    return _counted(data, who.take(kept), group[kept], first, second, iou, pair_iou, engine)


def _counted(
    data: Dataset,
    who: Couples,
    group: Ints,
    first: Array,
    second: Array,
    iou: float,
    pair_iou: float,
    engine: Engine,
) -> PairCounts:
    """Pair the boxes of the couples and count."""
    table, n = data.table, len(who.image)
    low, high = paired(who, table.xyxy, at_least=(pair_iou, iou), engine=engine)
    labels = table.category[high.first], table.category[high.second]
    outward = np.array([-1.0, -1.0, 1.0, 1.0])
    return PairCounts(
        group=group,
        image=who.image,
        overlap=np.bincount(low.couple, low.iou, n).astype(np.float64),
        paired=np.bincount(low.couple, minlength=n).astype(np.float64),
        found=np.bincount(high.couple, minlength=n).astype(np.float64),
        drawn=(who.n_first + who.n_second).astype(np.float64),
        same=np.bincount(high.couple, labels[0] == labels[1], n).astype(np.float64),
        first=first,
        second=second,
        label_group=group[high.couple],
        label_image=who.image[high.couple],
        label_first=labels[0],
        label_second=labels[1],
        edge_group=group[low.couple],
        edge_image=who.image[low.couple],
        edges=(table.xyxy[low.second] - table.xyxy[low.first]) * outward,
    )
