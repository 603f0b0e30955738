"""report: a review queue, and the files that annotation tools open."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.report.files import refuse_missing_folder, spare_inputs
from annqc.report.reviewlinks import FIELDS, LinkPattern
from annqc.report.reviewtext import review_texts
from annqc.run.review import queue_columns, queue_rows
from annqc.run.reviewrows import is_consensus
from annqc.run.reviewsubset import queue_datasets
from annqc.tables import to_frame

if TYPE_CHECKING:
    import os

    import pandas as pd

    from annqc.run.audit import Run
    from annqc.run.reviewsubset import Subset
    from annqc.tables import Array, Dataset

    AnyPath = str | os.PathLike[str]

__all__ = ["Review"]


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
        """The queue as datasets, see `annqc.run.reviewsubset.Subset`."""
        return queue_datasets(self.run, self._rows, self.columns)

    def to_frame(self) -> pd.DataFrame:
        """Return the queue as a table.

        Returns
        -------
        DataFrame
            One row an annotation, or an object that somebody did not draw, the first to look at
            first: ``rank, gain, probability, change, kind, kinds, annotator, sequence, frame,
            image_id, file_name, annotation_id, reference_id, track_id, category,
            reference_category, edge, offset, offset_px, iou, x1, y1, x2, y2, reference_x1 ...
            reference_y2, source, row, text``, and ``url`` where there is a pattern.
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
        that somebody did not draw are by ``(gold)`` or ``(consensus)``.
        """
        from annqc.write import write_coco

        return write_coco(self.subset.queue, self._spared(path))

    def to_cvat(self, path: AnyPath) -> Path:
        """Write the annotations of the queue, and what was not drawn, as CVAT XML 1.1.

        Parameters
        ----------
        path : path
            The file, which appears whole or not at all; its folder must be there.

        Notes
        -----
        For video where all images are frames of one, else for images. The reason and the rest are
        attributes of the shapes.
        """
        from annqc.write import write_cvat_images, write_cvat_video

        target, queue = self._spared(path), self.subset.queue
        write = write_cvat_images if queue.image_table.frame is None else write_cvat_video
        return write(queue, target)

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
        What was drawn is in the annotations, what it is compared with in the predictions.
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
