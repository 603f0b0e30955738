"""consensus: the consensus of the others, for judging anyone without their own vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.consensus.twoway import SIGNS

if TYPE_CHECKING:
    from annqc.consensus.twoway import TwoWay
    from annqc.tables import Floats

__all__ = ["Others", "leave_one_out"]


class Others(NamedTuple):
    """What the others say of each annotation's object, (n, 4) each.

    Attributes
    ----------
    edges : float64
        Edges by all but the annotator, ``xyxy`` in pixels, the others' offsets taken off. NaN where
        nobody else drew the object.
    se : float64
        Their uncertainty in pixels, that of the offsets left out.
    """

    edges: Floats
    se: Floats


def leave_one_out(fit: TwoWay, boxes: Floats) -> Others:
    """Take each annotation out of the consensus of its object.

    Parameters
    ----------
    fit : TwoWay
        The fit.
    boxes : (n, 4) float64
        The boxes that were fitted.

    Returns
    -------
    Others

    Notes
    -----
    ``(W mu - w (x - b)) / (W - w)``, ``W`` being the weights of the object, that of its gold
    included. The weights of the others are those of the whole fit. What makes it fair is that the
    others' offsets are taken off, and that the median annotator has none: the plain median or mean
    of the others hands an annotator's bias on to whoever is compared with them. With three
    annotators and one 3 px off, half of the accusations of a plain leave-one-out hit the other two.

    Examples
    --------
    >>> from annqc.consensus.twoway import fit_twoway
    >>> true = np.array([[10.0, 10, 50, 50], [30, 20, 90, 60], [5, 40, 25, 80]])
    >>> drawn = np.concatenate([true, true, true + [-3, 0, 0, 0]])
    >>> fit = fit_twoway(drawn, np.tile(np.arange(3), 3), np.repeat(np.arange(3), 3))
    >>> others = leave_one_out(fit, drawn)
    >>> (others.edges - drawn)[-1].round(3).tolist()
    [3.0, 0.0, 0.0, 0.0]
    """
    edges, se = np.full(boxes.shape, np.nan), np.full(boxes.shape, np.nan)
    rows = fit.rows
    for e, one in enumerate(fit.fits):
        by = fit.tolerance[rows.object, e] if fit.unit == "tolerance" else np.ones(len(one.centre))
        total = (1 / one.variance)[rows.place] if len(one.variance) else np.empty(0)
        rest = total - one.precision
        some = ((rows.count > 1) | (one.gold_precision > 0))[rows.place]
        shift = np.divide(
            one.precision * one.residual, rest, out=np.full(len(rest), np.nan), where=some
        )
        scale = by[rows.place]
        edges[rows.row, e] = SIGNS[e] * (one.centre[rows.place] - shift) * scale
        with np.errstate(divide="ignore", invalid="ignore"):
            se[rows.row, e] = np.where(some, scale / np.sqrt(rest), np.nan)
    return Others(edges, se)
