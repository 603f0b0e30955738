"""run: how far annotators agree, group by group, with intervals. Needs no gold.

Agreement does not see what all annotators share: where everybody draws the right edge 5 px too far
out, they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import UnknownNameError
from annqc.ids import encode
from annqc.infer.rates import ratio_of_clusters
from annqc.infer.unseen import planned_trials
from annqc.match.policy import MatchPolicy
from annqc.measure.agreement import agreements
from annqc.run.keys import as_names, combine, refuse_taken_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.kernels._jit import Engine
    from annqc.tables import Array, Dataset, Floats, Ints

__all__ = ["agreement_columns"]


def agreement_columns(
    data: Dataset,
    *,
    by: str | Sequence[str] = ("annotator",),
    policy: MatchPolicy | None = None,
    confidence: float = 0.95,
    engine: Engine = "auto",
) -> dict[str, Array]:
    """Say how far annotators agree with each other.

    Parameters
    ----------
    data : Dataset
        Work of two or more annotators on the same images.
    by : str or sequence of str
        ``annotator``: each with all of their partners. ``image_id``, ``sequence`` and columns of
        the image table: these images. Nothing: everybody together.
    policy : MatchPolicy, optional
        Its ``pair_iou`` is the least overlap of a pair; categories are not looked at.
    confidence : float
        Level of the intervals.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.

    Returns
    -------
    dict of str to array
        The ``by`` columns, ``estimate, ci_low, ci_high, n, n_clusters, se, df, n_eff``. ``n`` is
        the number of comparisons, ``n_clusters`` that of the images (sequences, where there are
        tracks) they are on, ``n_eff`` the effective number of objects. Annotators without a partner
        have NaN.

    Notes
    -----
    For annotators i and j on an image, with S the total IoU of their best one-to-one pairs and D
    the number of pairs and of boxes left over, agreement is ``sum S / sum D`` over all comparisons
    of the group. The interval is that of a ratio, linearised, with images as the units of evidence
    and a t of (images - 1) degrees of freedom; but it reaches at least as far as objects that were
    not seen yet may take it, see `annqc.infer.rates.Ratio.interval`.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(["ann", "bob", "cid"], n_images=30, rng=1)
    >>> columns = agreement_columns(made.work, by="annotator")
    >>> columns["annotator"].tolist(), columns["estimate"].round(1).tolist()
    (['ann', 'bob', 'cid'], [0.9, 0.9, 0.9])
    """
    names = as_names(by)
    refuse_taken_names(
        names, ("estimate", "ci_low", "ci_high", "n", "n_clusters", "se", "df", "n_eff")
    )
    found = agreements(data, pair_iou=(policy or MatchPolicy()).pair_iou, engine=engine)
    rows = np.arange(len(found.image))
    if "annotator" in names:  # every comparison is one of either annotator
        rows = np.concatenate([rows, rows])
    codes, values = [], []
    for name in names:
        if name == "annotator":
            codes.append(np.concatenate([found.first, found.second]))
            values.append(data.annotator_ids)
        else:
            of_image, known = _image_column(data, name)
            codes.append(of_image[found.image[rows]])
            values.append(known)
    sizes = [len(one) for one in values]
    code = combine(codes, sizes) if codes else np.zeros(len(rows), dtype=np.int64)
    if names in {(), ("annotator",)}:
        present = np.arange(sizes[0] if sizes else 1)
    else:
        present, code = np.unique(code, return_inverse=True)
    keys: dict[str, Any] = {}
    rest = present
    for name, known in zip(reversed(names), reversed(values), strict=True):
        keys[name] = known[rest % max(len(known), 1)]
        rest = rest // max(len(known), 1)
    units = _units(data)[found.image[rows]]
    said = found.said[rows]
    ratio = ratio_of_clusters(found.overlap[rows], said, code, units, len(present))
    n_eff = _objects(said, code, units, ratio.n_clusters)
    low, high = ratio.interval(confidence, n_eff=n_eff)
    return {
        **{name: keys[name] for name in names},
        "estimate": ratio.estimate,
        "ci_low": low,
        "ci_high": high,
        "n": np.bincount(code, minlength=len(present)),
        "n_clusters": ratio.n_clusters,
        "se": ratio.se,
        "df": ratio.df,
        "n_eff": n_eff,
    }


def _objects(said: Floats, group: Ints, unit: Ints, n_clusters: Ints) -> Floats:
    """Effective number of objects that a group was compared on; each counts once a unit.

    Several comparisons on one image are of the same objects.
    """
    width = int(unit.max(initial=0)) + 1
    cells, place = np.unique((group * width + unit)[said > 0], return_inverse=True)
    each = np.bincount(place, said[said > 0]) / np.bincount(place)
    objects = np.bincount(cells // width, each, len(n_clusters))
    return planned_trials(np.where(objects > 0, objects, np.nan), n_clusters)


def _image_column(data: Dataset, name: str) -> tuple[Ints, Array]:
    """Codes of the images in one column, and its values."""
    images = data.image_table
    columns: dict[str, Array] = {"image_id": images.id, **images.extra}
    if images.sequence is not None:
        columns["sequence"] = images.sequence
    if name not in columns:
        what = "column of the images"
        raise UnknownNameError.among(what, name, ("annotator", *columns))
    return encode(columns[name])


def _units(data: Dataset) -> Ints:
    """Return the unit of evidence of every image: its sequence in video, else itself."""
    images = data.image_table
    if data.table.track is None or images.sequence is None:
        return np.arange(len(images))
    return encode(images.sequence)[0]
