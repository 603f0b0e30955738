"""report: what annotators and their pages are called; pseudonyms that no list gives away."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import ids_array
from annqc.run.audit import Run
from annqc.run.leaveoneout import OTHERS
from annqc.run.review.rows import is_consensus
from annqc.tables import nameless

if TYPE_CHECKING:
    from annqc.tables import Dataset, Images

__all__ = ["page_name", "pseudonyms", "with_pseudonyms"]

LONGEST: Final = 40


def page_name(name: object, number: int) -> str:
    """Return the file name of an annotator's page: letters, digits and hyphens, and a number.

    Parameters
    ----------
    name : object
        What the annotator is called in the report.
    number : int
        Tells pages of like names apart.

    Examples
    --------
    >>> page_name("../Zoë <b>", 3), page_name("山田", 12)
    ('zoe-b-3.html', 'annotator-12.html')
    """
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-")
    return f"{slug or 'annotator'}-{number}.html"


def pseudonyms(run: Run) -> dict[str, str]:
    """Give everybody in a run a number instead of a name.

    Parameters
    ----------
    run : Run
        The comparison.

    Returns
    -------
    dict of str to str
        Name, as text, to pseudonym. Those who are nobody in particular keep what they are called.

    Notes
    -----
    The order hangs on what was drawn: the same data give the same numbers, and whoever has the
    names, but not the data, cannot work them out.
    """
    salt = hashlib.sha256(np.ascontiguousarray(run.candidate.table.xyxy).tobytes())
    salt.update(np.ascontiguousarray(run.reference.table.xyxy).tobytes())

    def draw(name: str) -> bytes:
        mixed = salt.copy()
        mixed.update(name.encode("utf-8", "backslashreplace"))
        return mixed.digest()

    given: dict[str, str] = {}
    for side, what in ((run.candidate, "annotator"), (run.reference, "gold author")):
        unnamed = nameless(side.annotator_ids)
        names = [str(one) for one in side.annotator_ids[~unnamed].tolist() if one != OTHERS]
        new = sorted({name for name in names if name not in given}, key=draw)
        given |= {name: f"{what} {k}" for k, name in enumerate(new, start=1)}
    return given


def with_pseudonyms(run: Run, given: dict[str, str]) -> Run:
    """Make the same comparison of people who go by other names.

    Parameters
    ----------
    run : Run
        The comparison.
    given : dict of str to str
        From `pseudonyms`.
    """
    sides = [_renamed(side, given) for side in (run.reference, run.candidate)]
    if is_consensus(run):
        images = _renamed_images(run.candidate, given)
        sides = [replace(side, image_table=images) for side in sides]
    return Run(sides[0], sides[1], parameters=run.parameters, engine=run.engine)


def _renamed(side: Dataset, given: dict[str, str]) -> Dataset:
    ids: list[Any] = [given.get(str(one), one) for one in side.annotator_ids.tolist()]
    return replace(side, annotator_ids=ids_array(ids))


def _renamed_images(side: Dataset, given: dict[str, str]) -> Images:
    """Rename who is in the ids of images: without gold everybody has their own, ``"7 (ann)"``."""
    images, names = side.image_table, side.annotator_ids.tolist()
    ids = images.id.tolist()
    videos = None if images.sequence is None else images.sequence.tolist()
    for person, image in [] if side.assigned is None else side.assigned.tolist():
        name = names[person]
        old, new = f" ({name})", f" ({given.get(str(name), name)})"
        for column in (ids, videos):
            if column is not None and column[image] is not None:
                column[image] = str(column[image]).removesuffix(old) + new
    return replace(
        images, id=ids_array(ids), sequence=None if videos is None else ids_array(videos)
    )
