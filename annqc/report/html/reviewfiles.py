"""report: the review queue as files beside the pages, for tables and annotation tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import TableError
from annqc.report.review import Review

if TYPE_CHECKING:
    from annqc.report.html.story import Story
    from annqc.tables import Array

__all__ = ["ReviewFile", "ReviewFiles", "review_files"]

FOLDER: Final = "review"
TOP: Final = 200
"""Rows of the queue of everybody."""
TOP_EACH: Final = 100
ROWS_IN_ALL: Final = 3_000
"""Rows of all queues of single people together."""
LEAST_EACH: Final = 10
_TOOLS: Final = (
    ("queue.coco.json", "to_coco", "COCO JSON"),
    ("queue.cvat.xml", "to_cvat", "CVAT XML"),
    ("queue.labelstudio.json", "to_label_studio", "Label Studio tasks"),
    ("queue.fiftyone.json", "to_fiftyone", "FiftyOne samples"),
)
VEILED: Final = "Review files are left out, for rows of the data could name people."
EMPTY: Final = "Nothing is worth a look: there are no review files."
NO_SIZES: Final = "left out, for sizes of images are not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFile:
    """A file of the queue: its path in the report, what it is, and how many rows it has."""

    path: str
    title: str
    n: int

    @property
    def name(self) -> str:
        """What it is saved as."""
        return self.path.rpartition("/")[2]


@dataclass(slots=True)
class ReviewFiles:
    """The review queue in a report.

    Attributes
    ----------
    everybody : list of ReviewFile
        Of the whole audit.
    of_page : dict of str to ReviewFile
        Of single people, by their page.
    contents : dict of str to bytes
        By path in the report.
    minds : list of str
        What is not there, and why.
    """

    everybody: list[ReviewFile] = field(default_factory=list)
    of_page: dict[str, ReviewFile] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    minds: list[str] = field(default_factory=list)


def review_files(story: Story, queue: dict[str, Array], *, url: str | None) -> ReviewFiles:
    """Write the review queue, of everybody and of each person.

    Parameters
    ----------
    story : Story
        The audit.
    queue : dict of str to array
        From `annqc.run.review.queue_rows`.
    url : str, optional
        Pattern of links into the tool where annotations are opened.

    Notes
    -----
    Under pseudonyms there are none: ids of rows, paths and other columns go with them as they are.
    """
    made = ReviewFiles()
    if story.veiled:
        made.minds.append(VEILED)
        return made
    if not len(queue["gain"]):
        made.minds.append(EMPTY)
        return made
    with TemporaryDirectory() as folder:
        _write(made, story, queue, url, Path(folder))
    return made


def _write(
    made: ReviewFiles, story: Story, queue: dict[str, Array], url: str | None, folder: Path
) -> None:
    run = story.run

    def keep(path: Path, title: str, n: int) -> ReviewFile:
        one = ReviewFile(path=f"{FOLDER}/{path.name}", title=title, n=n)
        made.contents[one.path] = path.read_bytes()
        return one

    def part(rows: Array) -> Review:
        return Review(run, url=url, rows={name: column[rows] for name, column in queue.items()})

    whole = part(np.arange(min(TOP, len(queue["gain"]))))
    made.everybody.append(keep(whole.to_csv(folder / "queue.csv"), "CSV", len(whole)))
    for name, method, title in _TOOLS:
        try:
            path = getattr(whole, method)(folder / name)
        except TableError:
            made.minds.append(f"{title}: {NO_SIZES}.")
            continue
        made.everybody.append(keep(path, title, len(whole)))
    if not story.named:
        return
    each = int(np.clip(ROWS_IN_ALL // len(story.people), LEAST_EACH, TOP_EACH))
    order = np.argsort(queue["annotator"], kind="stable")
    code = queue["annotator"][order]
    for person in story.people:
        first = np.searchsorted(code, story.codes[person.group])
        last = np.searchsorted(code, story.codes[person.group], side="right")
        rows = order[first:last][:each]
        if len(rows):
            path = folder / f"{person.page.removesuffix('.html')}.csv"
            made.of_page[person.page] = keep(part(rows).to_csv(path), "CSV", len(rows))
