"""Dataset and the canonical tables: annotations, images, annotators, categories, problems.

A `Dataset` says what was drawn, on what, by whom, and who was asked. Inside annqc it is a struct of
numpy arrays with dictionary-encoded ids (row numbers into the image, annotator and category
tables), so that reading, matching and inference need no pandas; `DataFrame` views are built when
somebody asks for them.

Coordinates are continuous pixels, origin at the top-left corner of the top-left pixel, x right, y
down; boxes are ``xyxy`` float64 with area ``(x2 - x1) * (y2 - y1)``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from annqc.sequences import Sequences
from annqc.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "EDGES",
    "ERROR_KINDS",
    "NAMELESS",
    "QUANTITIES",
    "Annotations",
    "Dataset",
    "Images",
    "Problem",
    "Sequences",
    "Shapes",
    "Source",
    "is_anonymous",
    "nameless",
    "to_frame",
]

EDGES: Final = ("out_left", "out_top", "out_right", "out_bottom")
"""Signed outward edge offsets, in the order of ``xyxy``."""

QUANTITIES: Final = (*EDGES, "dx", "dy", "dw", "dh")
"""Everything that is tested for bias: edges, centre shift, growth."""

ERROR_KINDS: Final = (
    "missed",
    "spurious",
    "mislabelled",
    "near_miss",
    "duplicate",
    "merged",
    "split",
    "far",
    "loose_box",
    "loose_outline",
    "odd_outline",
)
"""Kinds of `annqc.Audit.errors`.

A ``loose_box`` is matched, with an edge far off; a ``loose_outline`` is matched, with a contour far
off; an ``odd_outline`` is drawn unlike the annotator's others.
"""

NAMELESS: Final = ("", "(unknown)", "unknown", "anonymous")
"""What stands for an annotator who is not known: several people may stand behind it."""

Severity = Literal["dropped", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one row of the input.

    Attributes
    ----------
    kind : str
        Machine-readable name, such as ``"zero_size"``; `annqc.read.problems.KINDS` explains each.
    severity : {"dropped", "kept"}
        ``dropped`` rows are unusable and take no part in anything; ``kept`` rows do.
    source : str
        File, or ``"<table>"`` for a DataFrame.
    where : str
        JSON path, line or row inside the source.
    annotation_id, image_id, annotator : object
        What the row says of itself, None where it does not.
    message : str
        Expected and found, in words.
    """

    kind: str
    severity: Severity
    source: str
    where: str
    message: str
    annotation_id: object = None
    image_id: object = None
    annotator: object = None


@dataclass(frozen=True, eq=False)
class Source:
    """One input: where it came from, how it was read, and how many rows it had."""

    path: str
    format: str
    n_rows: int
    size: int = 0
    mtime_ns: int = 0

    @cached_property
    def sha256(self) -> str | None:
        """Digest of the file; None where there is none, or it changed since it was read."""
        path = Path(self.path)
        if not path.is_file():
            return None
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.mtime_ns):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Annotations:
    """The drawn objects: n rows, one array a column.

    Attributes
    ----------
    id : (n,) int64 or object
        Ids as they were given.
    image, annotator, category : (n,) int64
        Row numbers into the dataset's images, annotators and categories.
    xyxy : (n, 4) float64
        Boxes in pixels: the box that the file gives, or that around the shape.
    score : (n,) float64
        Confidence, NaN where there is none.
    crowd : (n,) bool
        Region that stands for many objects (COCO ``iscrowd``); swallows candidates, is never
        missed.
    ignored : (n,) bool
        Left out of every count, but may swallow one candidate (COCO ``ignore``, VOC ``difficult``).
    source, row : (n,) int64
        Which input, and which row in it (JSON index, table line, object number).
    track : (n,) int64 or None
        Which of the dataset's tracks, -1 for none. A track is one object of one annotator in one
        sequence; `Dataset.track_ids` has the ids as given.
    keyframe : (n,) bool or None
        Drawn by hand, rather than interpolated by a tool; None where the input does not say.
    shapes : Shapes or None
        Polygons and masks; None where there are boxes alone, or outlines were not read.
    extra : dict of str to (n,) array
        Whatever other columns the user has, for ``by=`` and slices.
    """

    id: Array
    image: Ints
    annotator: Ints
    category: Ints
    xyxy: Floats
    score: Floats
    crowd: Bools
    ignored: Bools
    source: Ints
    row: Ints
    track: Ints | None = None
    keyframe: Bools | None = None
    shapes: Shapes | None = None
    extra: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: Array) -> Annotations:
        """Return the given rows (indices or a boolean mask)."""
        return Annotations(
            id=self.id[rows],
            image=self.image[rows],
            annotator=self.annotator[rows],
            category=self.category[rows],
            xyxy=self.xyxy[rows],
            score=self.score[rows],
            crowd=self.crowd[rows],
            ignored=self.ignored[rows],
            source=self.source[rows],
            row=self.row[rows],
            track=None if self.track is None else self.track[rows],
            keyframe=None if self.keyframe is None else self.keyframe[rows],
            shapes=None if self.shapes is None else self.shapes.take(rows),
            extra={name: column[rows] for name, column in self.extra.items()},
        )

    @classmethod
    def build(
        cls,
        *,
        image: Array,
        annotator: Array,
        category: Array,
        xyxy: Array,
        id: Array | None = None,
        **columns: Any,
    ) -> Annotations:
        """Make a table from the columns that must be there, filling in the rest.

        Parameters
        ----------
        image, annotator, category : (n,) array_like of int
            Row numbers into the dataset's tables.
        xyxy : (n, 4) array_like
            Boxes in pixels.
        id : (n,) array_like, optional
            Annotation ids; 1..n where there are none.
        **columns
            Any other attribute of `Annotations`.
        """
        n = len(image)
        filled: dict[str, Any] = {
            "score": np.full(n, np.nan),
            "crowd": np.zeros(n, dtype=bool),
            "ignored": np.zeros(n, dtype=bool),
            "source": np.zeros(n, dtype=np.int64),
            "row": np.arange(n, dtype=np.int64),
        }
        filled.update(columns)
        return cls(
            id=np.arange(1, n + 1) if id is None else id,
            image=np.asarray(image, dtype=np.int64),
            annotator=np.asarray(annotator, dtype=np.int64),
            category=np.asarray(category, dtype=np.int64),
            xyxy=np.ascontiguousarray(xyxy, dtype=np.float64).reshape(-1, 4),
            **filled,
        )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Images:
    """What was drawn on: m rows. A video frame is an image with ``sequence`` and ``frame``.

    Attributes
    ----------
    id : (m,) int64 or object
        Image ids as they were given.
    file_name : (m,) object or None
        File names; an entry is None where unknown.
    width, height : (m,) float64
        Pixels, NaN where unknown.
    sequence, frame : (m,) object and int64, or None
        Video and frame number.
    extra : dict of str to (m,) array
        Other columns of the image table.
    """

    id: Array
    width: Floats
    height: Floats
    file_name: Array | None = None
    sequence: Array | None = None
    frame: Ints | None = None
    extra: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def build(
        cls,
        id: Array,
        *,
        width: Array | None = None,
        height: Array | None = None,
        file_name: Array | None = None,
        sequence: Array | None = None,
        frame: Array | None = None,
        extra: dict[str, Array] | None = None,
    ) -> Images:
        """Make an image table; sizes that are not given are unknown."""
        m = len(id)
        return cls(
            id=id,
            width=np.full(m, np.nan) if width is None else np.asarray(width, dtype=np.float64),
            height=np.full(m, np.nan) if height is None else np.asarray(height, dtype=np.float64),
            file_name=file_name,
            sequence=sequence,
            frame=None if frame is None else np.asarray(frame, dtype=np.int64),
            extra=extra or {},
        )

    def take(self, rows: Array) -> Images:
        """Return the given rows (indices or a boolean mask)."""

        def some(column: Array | None) -> Any:
            return None if column is None else column[rows]

        return Images(
            id=self.id[rows],
            width=self.width[rows],
            height=self.height[rows],
            file_name=some(self.file_name),
            sequence=some(self.sequence),
            frame=some(self.frame),
            extra={name: column[rows] for name, column in self.extra.items()},
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """What was drawn, on what, by whom, and who was asked.

    Parameters
    ----------
    table : Annotations
        The drawn objects.
    image_table : Images
        What they were drawn on.
    annotator_ids : (a,) array
        Annotators, as they were named on input.
    category_ids, category_names : (c,) arrays
        Category ids as given, and their names (the id as text where there is no name).
    assigned : (k, 2) int64 or None
        Annotator x image that was asked, as row numbers (annotator, image). None where the input
        does not say: then an annotator counts as asked on the images they drew on.
    issues : tuple of Problem
        Every row that cannot be used, or that is odd, and where it stands.
    sources : tuple of Source
        The inputs.
    n_rows : int
        Rows on input, usable or not.
    authors_known : bool
        Whether the rows say who drew them, rather than the name of a file or folder. An author of
        the reference is not judged on what they drew themselves.
    track_ids : (k,) array or None
        Ids of the tracks as they were given; None where nothing is tracked.
    sequence_table : Sequences or None
        The videos; None where there are none.
    """

    table: Annotations
    image_table: Images
    annotator_ids: Array
    category_ids: Array
    category_names: Array
    assigned: Ints | None = None
    issues: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    n_rows: int = 0
    authors_known: bool = False
    track_ids: Array | None = None
    sequence_table: Sequences | None = None

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return (
            f"<annqc.Dataset: {len(self.table)} annotations, {len(self.image_table)} images, "
            f"{len(self.annotator_ids)} annotators, {len(self.category_ids)} categories, "
            f"{len(self.issues)} problems>"
        )

    @property
    def n_dropped(self) -> int:
        """Rows of the input that cannot be used."""
        return sum(issue.severity == "dropped" for issue in self.issues)

    def tracks_of(self, codes: Ints) -> Array:
        """Return ids of tracks as they were given, None for no track.

        Parameters
        ----------
        codes : (n,) int64
            Values of ``Annotations.track``.
        """
        ids = np.empty(len(codes), dtype=object)
        real = codes >= 0
        ids[real] = codes[real] if self.track_ids is None else self.track_ids[codes[real]]
        return ids

    @property
    def nameless(self) -> Bools:
        """Which annotators are nobody in particular (`NAMELESS`), so that none is accused."""
        return nameless(self.annotator_ids)

    @property
    def anonymous(self) -> bool:
        """Whether the data say of no annotation who drew it."""
        return is_anonymous(self.annotator_ids)

    @property
    def annotations(self) -> pd.DataFrame:
        """The drawn objects as a long table, ids as they were given.

        Where outlines were read, ``shape`` says ``box``, ``polygon`` or ``mask``, and
        ``n_vertices`` how many vertices a polygon has.
        """
        t = self.table
        columns: dict[str, Any] = {
            "annotation_id": t.id,
            "image_id": self.image_table.id[t.image],
            "annotator": self.annotator_ids[t.annotator],
            "category": self.category_names[t.category],
            "category_id": self.category_ids[t.category],
            **{name: t.xyxy[:, k] for k, name in enumerate(("x1", "y1", "x2", "y2"))},
            "score": t.score,
            "is_crowd": t.crowd,
            "is_ignored": t.ignored,
        }
        if t.track is not None:
            columns["track_id"] = self.tracks_of(t.track)
        if t.keyframe is not None:
            columns["keyframe"] = t.keyframe
        if t.shapes is not None:
            columns["shape"] = t.shapes.kind_names
            columns["n_vertices"] = t.shapes.vertex_counts
        return to_frame({**columns, **t.extra})

    @property
    def images(self) -> pd.DataFrame:
        """The images as a table."""
        i = self.image_table
        columns: dict[str, Any] = {"image_id": i.id, "width": i.width, "height": i.height}
        optional = {"file_name": i.file_name, "sequence": i.sequence, "frame": i.frame}
        columns.update({name: column for name, column in optional.items() if column is not None})
        return to_frame({**columns, **i.extra})

    @property
    def sequences(self) -> pd.DataFrame:
        """The videos as a table; ``n_frames`` is -1 where the input does not say."""
        s = self.sequence_table or Sequences.build(np.empty(0, dtype=object))
        columns = {"sequence": s.id, "frame_rate": s.frame_rate}
        return to_frame({**columns, "first_frame": s.first_frame, "n_frames": s.n_frames})

    @property
    def annotators(self) -> pd.DataFrame:
        """One row an annotator: how many annotations they drew, on how many images."""
        t = self.table
        a = len(self.annotator_ids)
        drawn_on = np.unique(np.stack([t.annotator, t.image]), axis=1)[0]
        return to_frame(
            {
                "annotator": self.annotator_ids,
                "n_annotations": np.bincount(t.annotator, minlength=a),
                "n_images": np.bincount(drawn_on, minlength=a),
            }
        )

    @property
    def categories(self) -> pd.DataFrame:
        """One row a category."""
        counts = np.bincount(self.table.category, minlength=len(self.category_ids))
        return to_frame(
            {
                "category_id": self.category_ids,
                "category": self.category_names,
                "n_annotations": counts,
            }
        )

    @property
    def assignments(self) -> pd.DataFrame | None:
        """Annotator x image that was asked, or None where the input does not say."""
        if self.assigned is None:
            return None
        return to_frame(
            {
                "annotator": self.annotator_ids[self.assigned[:, 0]],
                "image_id": self.image_table.id[self.assigned[:, 1]],
            }
        )

    @property
    def problems(self) -> pd.DataFrame:
        """Every unusable or odd row, with where it stands."""
        names = (
            "kind",
            "severity",
            "source",
            "where",
            "annotation_id",
            "image_id",
            "annotator",
            "message",
        )
        return to_frame(
            {
                name: np.array([getattr(p, name) for p in self.issues] or [None], dtype=object)[
                    : len(self.issues)
                ]
                for name in names
            }
        )

    def with_issues(self, issues: Iterable[Problem]) -> Dataset:
        """Return this dataset with more problems listed."""
        return replace(self, issues=(*self.issues, *issues))


def nameless(annotator_ids: Array) -> Bools:
    """Return which annotators are nobody in particular, see `NAMELESS`.

    Parameters
    ----------
    annotator_ids : (a,) array
        Annotators, as they were named on input.

    Examples
    --------
    >>> nameless(np.array(["ann", "Anonymous", 7], dtype=object)).tolist()
    [False, True, False]
    """
    names = [str(one).strip().lower() for one in annotator_ids.tolist()]
    return np.array([name in NAMELESS for name in names], dtype=bool)


def is_anonymous(annotator_ids: Array) -> bool:
    """Whether there are annotators, and all are nobody in particular.

    Parameters
    ----------
    annotator_ids : (a,) array
        Annotators, as they were named on input.
    """
    return len(annotator_ids) > 0 and bool(nameless(annotator_ids).all())


def to_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Make a DataFrame; pandas is imported here and nowhere earlier.

    Parameters
    ----------
    columns : mapping of str to array_like
        Equal-length columns.
    """
    import pandas as pd

    return pd.DataFrame(dict(columns))
