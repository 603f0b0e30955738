"""report: a review queue, and the files that annotation tools open."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.files import refuse_missing_folder, spare_inputs
from annqc.report.review.links import FIELDS, LinkPattern
from annqc.report.review.text import review_texts
from annqc.run.review import image_columns, queue_columns, queue_rows
from annqc.run.review.rows import is_consensus
from annqc.run.review.subset import queue_datasets
from annqc.tables import to_frame

if TYPE_CHECKING:
    import os

    import pandas as pd

    from annqc.run.audit import Run
    from annqc.run.review.subset import Subset
    from annqc.tables import Array, Dataset, Images

    AnyPath = str | os.PathLike[str]

__all__ = ["Review"]

FROM_ONE: Final = frozenset({"mot", "mots"})
"""Formats that count frames from 1. MOTS of KITTI counts from 0, and has a frame 0 then."""


class Review:
    """What to look at first: annotations ranked by what a look at them is expected to gain.

    Made by `annqc.Audit.review`.

    Parameters
    ----------
    run : Run
        The comparison.
    top : int, optional
        So many at most; all that are worth a look if not given.
    by_image : bool
        Set what is on one image together.
    url : str, optional
        Pattern of links into the tool where annotations are opened.
    rows : dict of str to array, optional
        Some of what `annqc.run.review.queue_rows` gave, instead of asking it again.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate({"ann": [], "eve": annqc.Habit.misses(0.1)}, n_images=30, rng=1)
    >>> queue = annqc.audit(made.work, made.gold).review(top=5)
    >>> queue.to_frame()[["rank", "kind", "annotator"]].values.tolist()[0]
    [1, 'missed', 'eve']
    """

    def __init__(
        self,
        run: Run,
        *,
        top: int | None = None,
        by_image: bool = False,
        url: str | None = None,
        rows: dict[str, Array] | None = None,
    ) -> None:
        self.run = run
        self._link = None if url is None else LinkPattern.parse(url)
        self._rows = queue_rows(run, top=top, by_image=by_image) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows["gain"])

    def __repr__(self) -> str:
        n = len(np.unique(self._rows["place"]))
        return f"<annqc.Review: {len(self)} to look at on {n} images>"

    @property
    def without_gold(self) -> bool:
        """Whether everybody was compared with the others, and not with gold."""
        return is_consensus(self.run)

    @cached_property
    def columns(self) -> dict[str, Array]:
        """The queue as numpy columns, without pandas; see `to_frame`."""
        columns = queue_columns(self.run, self._rows)
        texts = review_texts(columns, self._rows["text"], consensus=self.without_gold)
        columns["text"] = _objects(texts)
        if self._link is not None:
            given = zip(*(columns[name].tolist() for name in FIELDS), strict=True)
            links = [self._link.fill(dict(zip(FIELDS, one, strict=True))) for one in given]
            columns["url"] = _objects(links)
        return columns

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind that leads, the most frequent first."""
        return dict(Counter(self.columns["kind"].tolist()).most_common())

    @cached_property
    def subset(self) -> Subset:
        """The queue as datasets, see `annqc.run.review.subset.Subset`."""
        return queue_datasets(self.run, self._rows, self.columns)

    def to_frame(self) -> pd.DataFrame:
        """Return the queue as a table.

        Returns
        -------
        DataFrame
            One row an annotation, or an object that somebody did not draw, the first to look at
            first: ``rank, gain, probability, change, kind, kinds, annotator, sequence, frame,
            image_id, file_name, annotation_id, reference_id, track_id, n_frames, first_frame,
            last_frame, category, reference_category, edge, offset, offset_px, iou, others_same,
            others_asked, x1, y1, x2, y2, reference_x1 ... reference_y2, source, row, text``, and
            ``url`` where there is a pattern. Frames of a track that one annotator has wrong in one
            way are one row.
        """
        return to_frame(self.columns)

    def to_csv(self, path: AnyPath) -> Path:
        """Write the queue as one CSV file.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.
        """
        from annqc.report.tablefiles import write_csv

        target = self._spared(path)
        write_csv(target, self.columns)
        return target

    def to_coco(self, path: AnyPath) -> Path:
        """Write the annotations of the queue, and what was not drawn, as COCO detection JSON.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.

        Notes
        -----
        What is known of each goes with it as ``review_rank``, ``review_text`` and so on. Objects
        that somebody did not draw are by ``(gold)`` or ``(consensus)``. The ids of COCO's images
        are whole numbers, and all have a file name: images whose ids are none are numbered and
        have the id as ``review_image_id``, and it stands for a file name that is not known.
        """
        from annqc.write import write_coco

        queue = self.subset.queue
        table = replace(queue.table, extra=_with_objects(queue.table.extra))
        numbered = replace(queue, table=table, image_table=_numbered(queue.image_table))
        return write_coco(numbered, self._spared(path))

    def to_cvat(self, path: AnyPath) -> Path:
        """Write the annotations of the queue, and what was not drawn, as CVAT XML 1.1.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.

        Notes
        -----
        For video where all images are frames of one, else for images. The reason and the rest are
        attributes of the shapes. A shape is there on the frame of its row alone. CVAT counts frames
        from 0: those of MOTChallenge and MOTS, which count from 1, are one less in the file.
        """
        from annqc.write import write_cvat_images, write_cvat_video

        target, queue = self._spared(path), self.subset.queue
        if queue.image_table.frame is None:
            return write_cvat_images(queue, target)
        images = image_columns(self.run)
        frames: dict[Any, list[int]] = {}
        from_one = {one.format for one in self.run.candidate.sources} & FROM_ONE
        known = [frame for frame in images["frame"] if frame is not None]
        first = 1 if from_one and min(known, default=0) > 0 else 0
        for name, frame in zip(images["sequence"], images["frame"], strict=True):
            if name is not None and frame is not None:
                frames.setdefault(name, []).append(frame - first)
        shifted = replace(queue.image_table, frame=queue.image_table.frame - first)
        return write_cvat_video(replace(queue, image_table=shifted), target, frames=frames)

    def to_label_studio(self, path: AnyPath, *, images: str | None = None) -> Path:
        """Write the queue as Label Studio tasks, one an image.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.
        images : str, optional
            Pattern of where the images are, as that of links, such as
            ``/data/local-files/?d=photos/{file_name}``; the file names if not given.

        Raises
        ------
        TableError
            The size of an image is not known.
        SpecError
            ``images`` is no such pattern.

        Notes
        -----
        What was drawn is in the annotations, what it is compared with in the predictions. Both are
        cut off at the border of the image.
        """
        from annqc.write.labelstudio import write_label_studio

        target = self._spared(path)
        drawn, reference = (
            replace(side, table=replace(side.table, extra=_with_text(side.table.extra)))
            for side in (self.subset.drawn, self.subset.reference)
        )
        pictures = None if images is None else _filled(LinkPattern.parse(images), drawn)
        return write_label_studio(drawn, target, suggestions=reference, images=pictures)

    def to_fiftyone(self, path: AnyPath) -> Path:
        """Write the queue as FiftyOne samples with the fields ``review`` and ``reference``.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.

        Raises
        ------
        TableError
            The size of an image is not known.
        """
        from annqc.write.fiftyone import write_fiftyone

        target = self._spared(path)
        fields = {"review": self.subset.queue, "reference": self.subset.reference}
        return write_fiftyone(fields, target)

    def _spared(self, path: AnyPath) -> Path:
        """Return a path that is no input, in a folder that is there."""
        target = Path(path)
        spare_inputs([target], (self.run.reference, self.run.candidate))
        refuse_missing_folder(target)
        return target


def _numbered(images: Images) -> Images:
    """Give images ids that are whole numbers, and file names."""
    known = [None] * len(images) if images.file_name is None else images.file_name.tolist()
    ids = images.id.tolist()
    names = _objects(
        [str(id) if name is None else name for id, name in zip(ids, known, strict=True)]
    )
    if all(isinstance(id, int) for id in ids):
        return replace(images, file_name=names)
    extra = {**images.extra, "review_image_id": images.id}
    return replace(images, id=np.arange(1, len(ids) + 1), file_name=names, extra=extra)


def _with_objects(extra: dict[str, Array]) -> dict[str, Array]:
    """Have ``attributes``, which tools take for an object each, only where they are that."""
    if "attributes" not in extra:
        return extra
    values = extra["attributes"].tolist()
    if all(one is None or isinstance(one, dict) for one in values):
        return {**extra, "attributes": _objects([one or {} for one in values])}
    return {f"data_{k}" if k == "attributes" else k: column for k, column in extra.items()}


def _filled(pattern: LinkPattern, side: Dataset) -> list[str | None]:
    """Return the address of each image; None where its name would lead elsewhere."""
    table = side.image_table
    columns = {"image_id": table.id, "file_name": table.file_name, "frame": table.frame}
    given = {name: column.tolist() for name, column in columns.items() if column is not None}
    return [
        pattern.fill({name: column[row] for name, column in given.items()})
        for row in range(len(table))
    ]


def _with_text(extra: dict[str, Array]) -> dict[str, Array]:
    """Call the reason what Label Studio shows of a region."""
    return {"text" if name == "review_text" else name: column for name, column in extra.items()}


def _objects(values: list[Any]) -> Array:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
