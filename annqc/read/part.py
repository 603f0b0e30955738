"""`Part`: what a reader hands over, rows as they stand in the input, ids not yet encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.read.files import shown
from annqc.read.problems import KINDS
from annqc.tables import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.geometry.repair import Fault, Fill
    from annqc.tables import Images, Sequences, Shapes, Source

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Part", "problem", "tidy"]


@dataclass(slots=True, kw_only=True)
class Part:
    """Rows of one or more files in one format: n annotations.

    Attributes
    ----------
    sources : list of Source
        The files.
    where : str
        How to name a row: ``"annotations[{}]"``, ``"line {}"``.
    image_id : (n,) int64 or object
        Image of each row, as given.
    category : (n,) int64 or object
        Category of each row: an id of ``categories``, or a name.
    xyxy : (n, 4) float64
        Boxes, unchecked. Four NaN where the file gives an outline and no box: the box is then that
        around the outline.
    row : (n,) int64
        Number of each row in its file.
    id : (n,) int64 or object, or None
        Annotation ids, None where the format has none.
    source : (n,) int64 or None
        File of each row as a row number of ``sources``; None = the first.
    score, crowd, ignored, keyframe, track : (n,) arrays or None
        As in `annqc.tables.Annotations`; tracks as given, None for no track.
    shapes : Shapes or None
        Outlines as the file has them, unchecked: `annqc.read.outlines` puts them into normal form.
    fill : {"union", "even_odd"}
        What several rings of one annotation mean, see `annqc.geometry.repair.normalise`.
    hole : (r,) bool or None
        Which rings of ``shapes`` are holes, where the format says so.
    faults : list of Fault
        What the reader itself found wrong with outlines, by row; such rows have no shape.
    annotator : (n,) array or None
        Who drew each row, where the user said which column has it.
    extra : dict of str to (n,) array
        Other columns. The annotator is looked for among them.
    taken : tuple of str
        Fields that stand for something else than who drew, and are not in ``extra``.
    images : Images or None
        The image table; None = the images are those that the rows name.
    sequences : Sequences or None
        The videos, where the images are frames.
    categories : (ids, names) or None
        The category table; None = the categories are those that the rows name.
    listed : (k, 2) int64 or None
        File x image that the file is known to be about (row numbers of ``sources`` and ``images``),
        whether or not anything was drawn. None where the file does not say.
    assignments : (image ids, annotators) or None
        Who was asked on what, where the file says so.
    problems : list of Problem
        Rows that could not be read at all.
    n_rows : int
        Rows met, readable or not.
    ids_by_image : bool
        Whether an annotation may have its id on several images, as an object in the slices of a
        scan has: then an id is repeated only where it stands twice on one image.
    drawn_by : list of str or None
        Whose each file is, where neither a field nor the user says it; None = the name of the file,
        or of its folder.
    shows_absence : bool
        Whether the format says where a tracked object is out of sight, so that frames without it
        are no gap in its track.
    file_is_image : bool
        Whether a file stands for one image, so that its name cannot be the annotator's.
    """

    sources: list[Source]
    where: str
    image_id: Array
    category: Array
    xyxy: Floats
    row: Ints
    n_rows: int
    id: Array | None = None
    source: Ints | None = None
    score: Floats | None = None
    crowd: Bools | None = None
    ignored: Bools | None = None
    keyframe: Bools | None = None
    track: Array | None = None
    shapes: Shapes | None = None
    fill: Fill = "union"
    hole: Bools | None = None
    faults: list[Fault] = field(default_factory=list)
    annotator: Array | None = None
    extra: dict[str, Array] = field(default_factory=dict)
    taken: tuple[str, ...] = ()
    images: Images | None = None
    sequences: Sequences | None = None
    categories: tuple[Array, Array] | None = None
    listed: Ints | None = None
    assignments: tuple[Array, Array] | None = None
    problems: list[Problem] = field(default_factory=list)
    ids_by_image: bool = False
    drawn_by: list[str] | None = None
    shows_absence: bool = False
    file_is_image: bool = False

    def __len__(self) -> int:
        return len(self.row)

    def problem(self, kind: str, row: int, message: str, *, annotator: object = None) -> Problem:
        """Describe what is wrong with a row of this part."""
        source = self.sources[0 if self.source is None else int(self.source[row])]
        return problem(
            kind,
            source.path,
            self.where.format(self.row[row]),
            message,
            annotation_id=None if self.id is None else plain(self.id[row]),
            image_id=plain(self.image_id[row]),
            annotator=annotator,
        )


def problem(kind: str, source: str, where: str, message: str, **ids: object) -> Problem:
    """Make a `Problem` of a kind of `annqc.read.problems.KINDS`."""
    severity = KINDS[kind].severity
    return Problem(
        kind=kind,
        severity=severity,
        source=shown(source),
        where=where,
        message=shown(message),
        **ids,
    )


def plain(value: object) -> object:
    """Return a numpy scalar as the Python object it stands for."""
    return value.item() if isinstance(value, np.generic) else value


def tidy(values: Sequence[object]) -> Array:
    """Return int64, float64 or bool where all values are so, else objects.

    Examples
    --------
    >>> tidy([1, 2]).dtype.kind, tidy([1, 2.5]).dtype.kind, tidy([1, None]).dtype.kind
    ('i', 'f', 'O')
    """
    kinds = set(map(type, values))
    if kinds == {bool}:
        return np.array(values, dtype=bool)
    if kinds <= {int, float} and float in kinds:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:
            pass
    return ids_array(values) if kinds <= {int} else objects_array(values)
