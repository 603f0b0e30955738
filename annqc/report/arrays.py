"""report: what the tables of a saved run must be like, when it is saved and when it is opened.

Codes are row numbers: one that is out of range would point at the wrong thing, or at nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry.masks import mask_faults
from annqc.shapes import BOX_ONLY, MASK, POLYGON

if TYPE_CHECKING:
    from annqc.tables import Array, Dataset, Shapes

__all__ = ["MOST_TRACKS", "check_dataset"]

MOST_TRACKS: Final = 1_000_000
"""Track numbers go up to this, or up to the number of annotations."""

SCALARS: Final = (str, int, float, bool, type(None), np.generic)


def check_dataset(dataset: Dataset) -> None:
    """Raise where a table of a dataset is not what it should be.

    Parameters
    ----------
    dataset : Dataset
        The arrays may be of any kind and length.

    Raises
    ------
    ValueError
        With the column, and what is wrong with it.
    """
    images, table = dataset.image_table, dataset.table
    m = _ids("images.id", images.id)
    n_annotators = _ids("annotator_ids", dataset.annotator_ids)
    if len(set(dataset.annotator_ids.tolist())) != n_annotators:
        message = "annotator_ids: an annotator who is there twice"
        raise ValueError(message)
    n_categories = _ids("category_ids", dataset.category_ids)
    _column("category_names", dataset.category_names, n_categories, kinds="OUiufb", only=SCALARS)
    for name in ("width", "height"):
        _column(f"images.{name}", getattr(images, name), m, kinds="f")
    _optional("images.file_name", images.file_name, m, kinds="OUiufb", only=SCALARS)
    _optional("images.sequence", images.sequence, m, kinds="OUiufb", only=SCALARS)
    _optional("images.frame", images.frame, m, kinds="i")
    n = _ids("annotations.id", table.id)
    _codes("annotations.image", table.image, n, m)
    _codes("annotations.annotator", table.annotator, n, n_annotators)
    _codes("annotations.category", table.category, n, n_categories)
    _codes("annotations.source", table.source, n, max(len(dataset.sources), 1))
    _column("annotations.row", table.row, n, kinds="i")
    _column("annotations.xyxy", table.xyxy, n, kinds="f", rest=(4,))
    _column("annotations.score", table.score, n, kinds="f")
    _column("annotations.crowd", table.crowd, n, kinds="b")
    _column("annotations.ignored", table.ignored, n, kinds="b")
    if table.track is not None:
        _codes("annotations.track", table.track, n, max(n, MOST_TRACKS), least=-1)
        if dataset.track_ids is not None:
            n_tracks = _ids("track_ids", dataset.track_ids)
            _codes("annotations.track", table.track, n, n_tracks, least=-1)
    _optional("annotations.keyframe", table.keyframe, n, kinds="b")
    if dataset.sequence_table is not None:
        videos = dataset.sequence_table
        s = _ids("sequences.id", videos.id)
        _column("sequences.frame_rate", videos.frame_rate, s, kinds="f")
        _column("sequences.first_frame", videos.first_frame, s, kinds="i")
        _column("sequences.n_frames", videos.n_frames, s, kinds="i")
    if table.shapes is not None:
        _shapes(table.shapes, n)
    for prefix, extra, length in (("annotations", table.extra, n), ("images", images.extra, m)):
        for name, column in extra.items():
            _column(f"{prefix}, {name}", column, length, rest=None)
    if dataset.assigned is not None:
        asked = dataset.assigned
        _column("assigned", asked, len(asked) if asked.ndim else 0, kinds="i", rest=(2,))
        _codes("assigned", asked[:, 0], len(asked), n_annotators)
        _codes("assigned", asked[:, 1], len(asked), m)


def _shapes(shapes: Shapes, n: int) -> None:
    """Check that every offset points into the values, and that kinds and values go together."""
    name = "annotations.shapes"
    of_kind, of_runs = f"{name}.kind", f"{name}.runs"
    kind = shapes.kind
    _column(of_kind, kind, n, kinds="ib")
    if kind.dtype != np.int8 or (
        n and not {*np.unique(kind).tolist()} <= {BOX_ONLY, POLYGON, MASK}
    ):
        raise _wrong(of_kind, "a kind that is none")
    _column(f"{name}.canvas", shapes.canvas, n, kinds="i", rest=(2,))
    _column(f"{name}.points", shapes.points, len(shapes.points), kinds="f", rest=(2,))
    _column(of_runs, shapes.runs, len(shapes.runs), kinds="i")
    _offsets(f"{name}.ring_offsets", shapes.ring_offsets, len(shapes.points))
    _offsets(f"{name}.shape_offsets", shapes.shape_offsets, len(shapes.ring_offsets) - 1, n)
    _offsets(f"{name}.run_offsets", shapes.run_offsets, len(shapes.runs), n)
    if mask_faults(shapes):
        raise _wrong(of_runs, "runs that are not those of the canvas")
    rings, runs = np.diff(shapes.shape_offsets) > 0, np.diff(shapes.run_offsets) > 0
    if (rings != (kind == POLYGON)).any() or (runs != (kind == MASK)).any():
        raise _wrong(of_kind, "another kind than the values have")


def _offsets(name: str, offsets: Any, end: int, n: int | None = None) -> None:
    """Check offsets: from 0 up to the number of values, one more than there are rows."""
    length = len(offsets) if isinstance(offsets, np.ndarray) and offsets.ndim else 0
    _column(name, offsets, length if n is None else n + 1, kinds="i")
    if not length or offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
        raise _wrong(name, f"offsets that do not lead through {end} values")


def _column(
    name: str,
    column: Any,
    n: int,
    *,
    kinds: str = "biufUSMmO",
    rest: tuple[int, ...] | None = (),
    only: tuple[type, ...] | None = None,
) -> None:
    """Check kind and shape of a column; numbers that annqc works with have 64 bits."""
    known = isinstance(column, np.ndarray) and column.dtype.kind in kinds
    if not known or (kinds in {"i", "f"} and column.dtype.itemsize != 8):
        raise _wrong(name, f"values of type {getattr(column, 'dtype', type(column).__name__)}")
    if column.ndim == 0 or column.shape[0] != n or (rest is not None and column.shape[1:] != rest):
        raise _wrong(name, f"a shape of {column.shape} where there are {n} rows")
    if only is not None and column.dtype.kind == "O":
        odd = next((one for one in column.tolist() if not isinstance(one, only)), None)
        if odd is not None:
            raise _wrong(name, f"a value of type {type(odd).__name__}")


def _optional(name: str, column: Array | None, n: int, **rules: Any) -> None:
    if column is not None:
        _column(name, column, n, **rules)


def _ids(name: str, column: Any) -> int:
    """Check ids, and return how many there are."""
    n = len(column) if isinstance(column, np.ndarray) and column.ndim else 0
    _column(name, column, n, kinds="OUiufb", only=SCALARS)
    return n


def _codes(name: str, column: Array, n: int, below: int, *, least: int = 0) -> None:
    """Check row numbers into a table of ``below`` rows."""
    _column(name, column, n, kinds="i")
    if n and not (least <= int(column.min()) and int(column.max()) < below):
        raise _wrong(name, f"row numbers {column.min()} to {column.max()} into {below} rows")


def _wrong(name: str, found: str) -> ValueError:
    return ValueError(f"{name}: {found}")
