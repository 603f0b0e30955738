"""measure: HOTA, CLEAR and Identity, as sums that merge.

What is measured by (annotator, sequence), or by track within it, is a row of sums. Rows add up:
those of all sequences are combined as TrackEval combines sequences, by their counts and not by
their scores. `track_metrics` turns rows into scores.

HOTA is from Luiten et al., "HOTA: a higher order metric for evaluating multi-object tracking" (IJCV
2021); CLEAR from Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance"
(2008); Identity from Ristani et al., "Performance measures and a data set for multi-target,
multi-camera tracking" (2016). Where these leave something open, it is done as TrackEval does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from annqc.errors import MatchError
from annqc.kernels.tracking import (
    ALPHAS,
    EPS,
    Clear,
    Counts,
    Hota,
    Identity,
    box_pairs,
    count_tracks,
    kept,
    match_frames,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.kernels._jit import Engine
    from annqc.kernels.tracking import Frames
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["COUNTS", "SCORES", "TrackSums", "hota_curves", "track_metrics", "track_sums"]

CHUNK: Final = 1 << 18
"""Boxes of the reference that are measured in one go."""

DISTRACTOR_IOU: Final = 0.5
"""MOTChallenge's least IoU of a match with a distractor, whatever the threshold of the metrics."""

SCORES: Final = (
    *("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA"),
    *("HOTA(0)", "LocA(0)"),
    *("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "sMOTA"),
    *("IDF1", "IDP", "IDR"),
)
"""Names of the scores of `track_metrics`."""

COUNTS: Final = {
    **{f"CLR_{name.upper()}": f"clr_{name}" for name in ("tp", "fn", "fp")},
    **{name: f"clr_{name.lower()}" for name in ("IDSW", "Frag", "MT", "PT", "ML")},
    **{f"ID{name.upper()}": f"id_{name}" for name in ("tp", "fn", "fp")},
}
"""Names of the counts of `track_metrics`, and the sums that they are."""

_CURVES: Final = tuple(f"hota_{name}" for name in Hota._fields)
_SINGLE: Final = (
    *(f"clr_{name}" for name in Clear._fields),
    *(f"id_{name}" for name in Identity._fields),
    "n_frames",  # the last column
)
_N: Final = len(ALPHAS)
_PLACES: Final[dict[str, slice | int]] = {
    **{name: slice(k * _N, (k + 1) * _N) for k, name in enumerate(_CURVES)},
    **{name: len(_CURVES) * _N + k for k, name in enumerate(_SINGLE)},
}


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackSums:
    """Sums behind the tracking metrics, one row a sequence or a track of an annotator.

    Attributes
    ----------
    annotator, sequence : (n,) int64
        What the row belongs to; shards that are merged must number them alike.
    values : (n, 146) float64
        The sums; ``sums["clr_tp"]`` has them by name. Each of ``hota_tp, hota_fn, hota_fp,
        hota_loc, hota_ass_a, hota_ass_re, hota_ass_pr`` is (n, 19), one column a threshold of
        `annqc.kernels.tracking.ALPHAS`; ``clr_tp, clr_fn, clr_fp, clr_similarity, clr_idsw,
        clr_frag, clr_mt, clr_pt, clr_ml, id_tp, id_fn, id_fp, n_frames`` are (n,).
    """

    annotator: Ints
    sequence: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Floats:
        place = _PLACES[name]
        return self.values[:, place]

    def take(self, rows: Ints | Bools) -> TrackSums:
        """Return some rows (positions or a boolean mask)."""
        return TrackSums(
            annotator=self.annotator[rows], sequence=self.sequence[rows], values=self.values[rows]
        )

    def merge(self, other: TrackSums) -> TrackSums:
        """Put the rows of another shard below; every sequence must live entirely in one shard."""
        return TrackSums(
            annotator=np.concatenate([self.annotator, other.annotator]),
            sequence=np.concatenate([self.sequence, other.sequence]),
            values=np.concatenate([self.values, other.values]),
        )

    def combined(self, by: Literal["all", "annotator", "sequence"] = "all") -> TrackSums:
        """Add up rows, as TrackEval's ``combine_sequences`` does.

        Parameters
        ----------
        by : {"all", "annotator", "sequence"}
            Give one row; one row an annotator; or one an annotator and sequence. A key that no
            longer applies is -1.

        Examples
        --------
        >>> rows = TrackSums(annotator=np.array([0, 0]), sequence=np.array([0, 1]),
        ...                  values=np.ones((2, 146)))
        >>> rows.combined()["clr_tp"].tolist()
        [2.0]
        """
        none = np.full(len(self), -1)
        keys = np.stack(
            [
                none if by == "all" else self.annotator,
                self.sequence if by == "sequence" else none,
            ]
        )
        if not len(self) and by == "all":
            lone = np.array([-1])
            return TrackSums(annotator=lone, sequence=lone, values=np.zeros((1, _width())))
        order = np.lexsort(keys[::-1])
        keys = keys[:, order]
        first = np.ones(len(self), dtype=bool)
        first[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        starts = np.flatnonzero(first)
        values = self.values[:0]
        if len(starts):
            values = np.add.reduceat(self.values[order], starts, axis=0)
        return TrackSums(annotator=keys[0, starts], sequence=keys[1, starts], values=values)


def _width() -> int:
    return len(_CURVES) * _N + len(_SINGLE)


def track_sums(
    frames: Frames,
    *,
    annotator: Ints | None = None,
    sequence: Ints | None = None,
    counted: Bools | None = None,
    distractor: Bools | None = None,
    by: Literal["sequence", "track"] = "sequence",
    threshold: float = 0.5,
    engine: Engine = "auto",
) -> TrackSums:
    """Measure a batch of tasks, each the sequence of an annotator.

    Parameters
    ----------
    frames : Frames
        Boxes of both sides.
    annotator, sequence : (n_tasks,) int64, optional
        What the tasks are; 0 and 0, 1, 2, ... unless given.
    counted : (n_ref,) bool, optional
        Reference boxes that count; the others are taken out once distractors have been matched.
    distractor : (n_ref,) bool, optional
        Reference boxes that are not meant to be drawn, and may be: candidates that the best
        assignment of their frame matches with one, at an IoU of 0.5, are taken out.
    by : {"sequence", "track"}
        Give one row a task, or one a **unit** of it: a track of the reference together with the
        candidate tracks that are matched with it most often, or a candidate track that is matched
        with none. Units add up to their task; ``n_frames`` is known of tasks alone.
    threshold : float
        Least IoU of a match of CLEAR and Identity.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    TrackSums

    Raises
    ------
    MatchError
        Where a track stands twice in a frame.

    Examples
    --------
    >>> from annqc.kernels.tracking import Frames
    >>> box, one = np.array([[0.0], [0.0], [4.0], [4.0]]), np.array([0, 1])
    >>> code = np.array([0])
    >>> frames = Frames(frame_offsets=one, ref_offsets=one, cand_offsets=one, ref_boxes=box,
    ...                 cand_boxes=box + 1, ref_track=code, cand_track=code)
    >>> scores = track_metrics(track_sums(frames))
    >>> scores["HOTA"].round(3).tolist(), scores["MOTA"].tolist()
    ([0.368], [-1.0])
    """
    n = frames.n_tasks
    annotator = np.zeros(n, dtype=np.int64) if annotator is None else annotator
    sequence = np.arange(n) if sequence is None else sequence
    pieces = []
    for begin, end in _chunks(frames.ref_offsets[frames.frame_offsets]):
        part = frames.part(begin, end)
        _refuse_twice(part, begin)
        pairs = box_pairs(part, engine=engine)
        boxes = slice(*frames.ref_offsets[frames.frame_offsets[[begin, end]]])
        if distractor is not None or counted is not None:
            ref = np.ones(len(part.ref_track), dtype=bool) if counted is None else counted[boxes]
            cand = np.ones(len(part.cand_track), dtype=bool)
            if distractor is not None and distractor[boxes].any():
                weight = np.where(pairs.iou >= DISTRACTOR_IOU - EPS, pairs.iou, 0.0)
                hit = match_frames(part, pairs, weight, engine=engine)
                hit = hit[distractor[boxes][pairs.ref[hit]]]
                cand[pairs.cand[hit]] = False
            part, pairs = kept(part, pairs, ref, cand)
        found = count_tracks(part, pairs, threshold=threshold, engine=engine)
        task, values = _rows(found)
        if by == "sequence":
            values = _add_up(values, task, end - begin)
            values[:, -1] = np.diff(part.frame_offsets)
            task = np.arange(end - begin)
        task = task + begin
        pieces.append(TrackSums(annotator=annotator[task], sequence=sequence[task], values=values))
    return TrackSums(
        annotator=np.concatenate([annotator[:0], *(one.annotator for one in pieces)]),
        sequence=np.concatenate([sequence[:0], *(one.sequence for one in pieces)]),
        values=np.concatenate([np.empty((0, _width())), *(one.values for one in pieces)]),
    )


def _chunks(offsets: Ints) -> Iterator[tuple[int, int]]:
    """Cut tasks into runs of about `CHUNK` boxes."""
    begin, n = 0, len(offsets) - 1
    while begin < n:
        end = int(np.searchsorted(offsets, offsets[begin] + CHUNK, side="right")) - 1
        end = min(max(end, begin + 1), n)
        yield begin, end
        begin = end


def _refuse_twice(frames: Frames, begin: int) -> None:
    """Refuse a track that stands twice in a frame of a task; the first task is number ``begin``."""
    for side, name in ((frames.ref, "reference"), (frames.cand, "candidate")):
        if len(side.twice):
            box = int(side.twice[0])
            frame = int(side.frame[box])
            task = int(np.searchsorted(frames.frame_offsets, frame, side="right")) - 1
            what = f"a track of the {name} stands twice in a frame"
            raise MatchError(
                what,
                where=f"task {begin + task}, frame {frame - frames.frame_offsets[task]}, from 0",
                expected="each track once in a frame",
                found=f"{len(side.twice)} boxes too many",
                hint="a track is one object; give the other box a track of its own",
            )


def _rows(found: Counts) -> tuple[Ints, Floats]:
    """Lay the counts of units out in rows, by task; units without any box are left out."""
    single = np.zeros((len(found.task), 1))  # frames, which no unit has for itself
    columns = [one[:, None] for one in (*found.clear, *found.identity)]
    values = np.concatenate([*found.hota, *columns, single], axis=1)
    some = np.flatnonzero(values.any(axis=1))
    some = some[np.argsort(found.task[some], kind="stable")]
    return found.task[some], values[some]


def _add_up(values: Floats, group: Ints, n: int) -> Floats:
    """Add up rows of ascending or mixed groups."""
    out = np.zeros((n, values.shape[1]))
    np.add.at(out, group, values)
    return out


def hota_curves(
    sums: TrackSums, *, undefined: Literal["nan", "trackeval"] = "nan"
) -> dict[str, Floats]:
    """Return what HOTA is made of, threshold by threshold.

    Parameters
    ----------
    sums : TrackSums
        n rows.
    undefined : {"nan", "trackeval"}
        What stands where there is nothing to divide by: NaN, or TrackEval's 0 (1 for ``LocA``).

    Returns
    -------
    dict of str to (n, 19) float64
        ``HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr, LocA, OWTA``.
    """
    tp, fn, fp = sums["hota_tp"], sums["hota_fn"], sums["hota_fp"]
    zero = undefined == "trackeval"
    with np.errstate(all="ignore"):
        found = {
            "DetA": _share(tp, tp + fn + fp, zero=zero),
            "DetRe": _share(tp, tp + fn, zero=zero),
            "DetPr": _share(tp, tp + fp, zero=zero),
            "AssA": _share(sums["hota_ass_a"], tp, zero=zero),
            "AssRe": _share(sums["hota_ass_re"], tp, zero=zero),
            "AssPr": _share(sums["hota_ass_pr"], tp, zero=zero),
            "HOTA": np.sqrt(_share(sums["hota_ass_a"], tp + fn + fp, zero=zero)),
            "OWTA": np.sqrt(_share(sums["hota_ass_a"], tp + fn, zero=zero)),
        }
        found["LocA"] = np.where(tp > 0, sums["hota_loc"] / tp, 1.0 if zero else np.nan)
    return found


def _share(part: Floats, whole: Floats, *, zero: bool) -> Floats:
    return np.where(whole > 0, part / whole, 0.0 if zero else np.nan)


def track_metrics(
    sums: TrackSums, *, undefined: Literal["nan", "trackeval"] = "nan"
) -> dict[str, Floats]:
    """Turn sums into scores.

    Parameters
    ----------
    sums : TrackSums
        n rows, of sequences or combined.
    undefined : {"nan", "trackeval"}
        What stands where there is nothing to divide by: NaN, or what TrackEval has there (0; 1 for
        ``LocA``).

    Returns
    -------
    dict of str to (n,) float64
        The `SCORES` and the `COUNTS`. Those of HOTA are means over the 19 thresholds, ``HOTA(0)``
        and ``LocA(0)`` are those at the lowest.

    Notes
    -----
    A high threshold that nothing passes is common and no gap in the data: beside thresholds with
    matches it enters the means with 0 (1 for ``LocA``), as in TrackEval, whatever ``undefined`` is.
    Without reference boxes TrackEval gives a lone sequence a MOTA, MODA and sMOTA of 0, and several
    combined minus the number of false positives; here it is the latter for both.
    """
    zero = undefined == "trackeval"
    curves = hota_curves(sums, undefined=undefined)
    filled = curves if zero else hota_curves(sums, undefined="trackeval")
    scores: dict[str, Any] = {}
    for name in SCORES[:9]:
        known = ~np.isnan(curves[name]).all(axis=1)
        scores[name] = np.where(known, filled[name].mean(axis=1), np.nan)
    scores["HOTA(0)"], scores["LocA(0)"] = curves["HOTA"][:, 0], curves["LocA"][:, 0]
    tp, fn, fp, switches = (sums[f"clr_{name}"] for name in ("tp", "fn", "fp", "idsw"))
    near = sums["clr_similarity"]
    id_tp, id_fn, id_fp = (sums[f"id_{name}"] for name in ("tp", "fn", "fp"))
    for name, part, whole in (
        ("MOTA", tp - fp - switches, tp + fn),
        ("MODA", tp - fp, tp + fn),
        ("sMOTA", near - fp - switches, tp + fn),
        ("MOTP", near, tp),
        ("CLR_Re", tp, tp + fn),
        ("CLR_Pr", tp, tp + fp),
        ("IDF1", id_tp, id_tp + 0.5 * id_fp + 0.5 * id_fn),
        ("IDP", id_tp, id_tp + id_fp),
        ("IDR", id_tp, id_tp + id_fn),
    ):
        scores[name] = part / np.maximum(whole, 1.0)
        if not zero:
            scores[name] = np.where(whole > 0, scores[name], np.nan)
    ordered: dict[str, Array] = {name: scores[name] for name in SCORES}
    return ordered | {name: sums[column] for name, column in COUNTS.items()}
