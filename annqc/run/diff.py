"""run: what changed between two versions of the same annotation."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.ids import objects_array
from annqc.kernels._jit import check_engine
from annqc.measure.tolerance import Tolerance
from annqc.read import read
from annqc.run.diffcolumns import change_columns, image_columns, renumbered_columns
from annqc.run.diffpairs import pair_versions
from annqc.run.diffrows import KINDS, changed_pairs, stretches_of
from annqc.run.diffsides import take_sides
from annqc.tables import Dataset, to_frame

if TYPE_CHECKING:
    import pandas as pd

    from annqc.kernels._jit import Engine
    from annqc.run.diffpairs import Pairs
    from annqc.run.diffrows import Changed, Stretches
    from annqc.run.diffsides import Sides
    from annqc.tables import Array, Ints

__all__ = ["Diff", "diff"]


class Diff:
    """What changed between two versions of the same annotation. Made by `annqc.diff`.

    Parameters
    ----------
    old, new : Dataset
        The versions.
    tolerance : Tolerance or None
        What an edge may move without being told; a hundredth of a pixel if None.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    """

    def __init__(
        self,
        old: Dataset,
        new: Dataset,
        *,
        tolerance: Tolerance | None = None,
        engine: Engine = "auto",
    ) -> None:
        self.old, self.new, self.tolerance, self.engine = old, new, tolerance, engine

    def __repr__(self) -> str:
        counts = {k: n for k, n in zip(KINDS, self._counts.tolist(), strict=True) if n}
        said = ", ".join(f"{n:,} {kind}" for kind, n in counts.items()) or "no changes"
        return f"<annqc.Diff: {len(self.old):,} -> {len(self.new):,} annotations, {said}>"

    @cached_property
    def sides(self) -> Sides:
        """Both versions on common numbers."""
        return take_sides(self.old, self.new)

    @cached_property
    def pairs(self) -> Pairs:
        """Rows of both sides that are the same annotation."""
        return pair_versions(self.sides, engine=self.engine)

    @cached_property
    def changed(self) -> Changed:
        """What changed in each of `pairs`."""
        return changed_pairs(self.sides, self.pairs, tolerance=self.tolerance, engine=self.engine)

    @cached_property
    def _rows(self) -> dict[str, tuple[Ints, Ints]]:
        """Rows of either side that each kind of change is about."""
        found = {}
        for kind, side, paired in zip(
            KINDS[:2], (self.sides.old, self.sides.new), self.pairs, strict=True
        ):
            rows = np.setdiff1d(np.arange(len(side)), paired)
            none = np.full(len(rows), -1)
            found[kind] = (rows, none) if kind == "removed" else (none, rows)
        for kind, some in self.changed.kinds.items():
            found[kind] = self.pairs.old[some], self.pairs.new[some]
        return found

    @cached_property
    def stretches(self) -> dict[str, Stretches]:
        """Changes of each kind, gathered."""
        return {kind: stretches_of(self.sides, *self._rows[kind], kind) for kind in KINDS}

    @property
    def _counts(self) -> Ints:
        return np.array([len(self._rows[kind][0]) for kind in KINDS])

    @property
    def identical(self) -> bool:
        """Whether no annotation differs, and both versions have the same images.

        Other ids for the same tracks and annotations are no difference; `renumbered` lists them.
        """
        return not self._counts.any() and bool((self.sides.image_rows >= 0).all())

    @property
    def untouched(self) -> float:
        """Share of all annotations of both versions that did not change; NaN where there are none.

        A pair counts as one, and so does what is on one side alone.
        """
        return self.n_untouched / self.n_annotations if self.n_annotations else float("nan")

    @property
    def n_annotations(self) -> int:
        """Annotations of both versions together, a pair counted as one."""
        return len(self.pairs.old) + int(self._counts[:2].sum())

    @property
    def n_untouched(self) -> int:
        """Pairs in which nothing changed."""
        touched = np.any([*self.changed.kinds.values()], axis=0)
        return int((~touched).sum())

    @property
    def n_renumbered_ids(self) -> int:
        """Pairs whose annotation ids differ; 0 where ids merely count the rows of both versions."""
        old, new = self.sides.old, self.sides.new
        if old.counted and new.counted:
            return 0
        return int((old.named_id[self.pairs.old] != new.named_id[self.pairs.new]).sum())

    def change_columns(self) -> dict[str, Array]:
        """Return `changes` as numpy columns, without pandas."""
        return change_columns(self.sides, self.changed, self.stretches)

    def summary_columns(self) -> dict[str, Array]:
        """Return `summary` as numpy columns, without pandas."""
        n = np.append(self._counts, self.n_untouched)
        total = self.n_annotations
        return {
            "kind": objects_array([*KINDS, "untouched"]),
            "n_changes": np.array([*(len(self.stretches[kind]) for kind in KINDS), 0]),
            "n_annotations": n,
            "share": n / total if total else np.full(len(n), np.nan),
        }

    def image_columns(self) -> dict[str, Array]:
        """Return `images` as numpy columns, without pandas."""
        return image_columns(self.sides)

    def renumbered_columns(self) -> dict[str, Array]:
        """Return `renumbered` as numpy columns, without pandas."""
        return renumbered_columns(self.sides, self.pairs)

    def changes(self) -> pd.DataFrame:
        """List what changed: a row a stretch of frames of a track, or an annotation of an image.

        Returns
        -------
        DataFrame
            ``kind, annotator, new_annotator, sequence, image_id, file_name, track_id,
            new_track_id, first_frame, last_frame, n_frames, edge, max_px, mean_px, iou, category,
            new_category, mark, new_mark, annotation_id, new_annotation_id, text``, in the order of
            the images. Of a stretch, ``image_id`` and the ids of the annotations are those of its
            first frame. ``kind`` is ``removed, added, moved, relabelled, reassigned`` (another
            annotator has it), ``renumbered`` (in these frames the box belongs to another track),
            ``outline`` (redrawn within the same box) or ``marked`` (as a crowd or ignored, or no
            longer). ``edge`` is the one that moved most, ``all`` where the box was shifted;
            ``max_px`` is the farthest that an edge moved, ``mean_px`` the mean over the frames of
            the edge that moved most there; ``iou`` is the smallest.
        """
        return to_frame(self.change_columns())

    def summary(self) -> pd.DataFrame:
        """Count the changes of each kind.

        Returns
        -------
        DataFrame
            ``kind, n_changes, n_annotations, share``; the last row is what was left untouched. An
            annotation can change in several ways.
        """
        return to_frame(self.summary_columns())

    def images(self) -> pd.DataFrame:
        """List the images and frames that only one version has.

        Returns
        -------
        DataFrame
            ``kind`` (``images_removed`` or ``images_added``), ``sequence, frame, image_id,
            file_name, n_annotations``. What was drawn on them is among the changes.
        """
        return to_frame(self.image_columns())

    def renumbered(self) -> pd.DataFrame:
        """List the tracks that go on under another id.

        Returns
        -------
        DataFrame
            ``annotator, sequence, track_id, new_track_id, n_frames``.
        """
        return to_frame(self.renumbered_columns())


def diff(
    old: Any,
    new: Any,
    *,
    tolerance: str | Tolerance | None = None,
    engine: Engine = "auto",
    **options: Any,
) -> Diff:
    """Say what changed between two versions of the same annotation.

    Parameters
    ----------
    old, new : path, glob, folder, list of those, DataFrame or Dataset
        The versions.
    tolerance : str or Tolerance, optional
        What an edge may move without being told, such as ``"1 px"`` or ``"2 %"`` of the older
        box's side. By default everything beyond a hundredth of a pixel is.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    **options
        Arguments of `annqc.read`, for both versions.

    Returns
    -------
    Diff
        `Diff.changes`, `Diff.summary`, `Diff.images`, `Diff.renumbered`, `Diff.identical`.

    Raises
    ------
    ReadError
        A version cannot be read.
    MatchError
        The versions have no image in common.
    SpecError
        The tolerance is written wrongly.

    Notes
    -----
    Annotations are compared within an annotator, where the versions have a name in common, else as
    if by one hand. Equal boxes are the same annotation whatever their ids; then what overlaps by an
    IoU of 0.1, where tracks and ids that hold elsewhere and equal categories count; then the boxes
    that tracks have between two such pairs. Scores, keyframes and further columns are not compared.

    Examples
    --------
    >>> import pandas as pd
    >>> frames = pd.DataFrame({"frame": range(1, 101), "x1": 10.0, "y1": 10.0, "x2": 50.0})
    >>> old = frames.assign(sequence="walk", y2=90.0, track_id=1, label="person", annotator="ann")
    >>> new = old.assign(x2=old["x2"] + 4.0 * old["frame"].between(50, 80))
    >>> diff(old, new).changes().loc[0, "text"]
    'walk, track 1, frames 50 to 80: right edge moved by 4 px'
    """
    limit = None if tolerance is None else Tolerance.parse(tolerance)
    check_engine(engine)
    sides = [one if isinstance(one, Dataset) else read(one, **options) for one in (old, new)]
    made = Diff(*sides, tolerance=limit, engine=engine)
    made.sides  # noqa: B018  what cannot be compared is told here
    return made
