"""Which candidate image is which reference image: by frame, by file name, else by id."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import MatchError
from annqc.match.frames import align_frames
from annqc.tables import Problem

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    from annqc.tables import Images

    Ints = npt.NDArray[np.int64]
    Keys = Sequence[Hashable | None]

__all__ = ["align_images"]

N_EXAMPLES = 3
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".dcm")
"""What ends an id that is the name of a file."""


def align_images(reference: Images, candidate: Images) -> tuple[Ints, list[Problem]]:
    """Find the reference image of every candidate image.

    Frames of videos are paired by sequence and frame number, see `annqc.match.frames`. Of other
    images, file names decide where they are known and any are shared, whole or by their stem;
    images without a file name are then paired by id. Where no file name is shared, ids decide, then
    ids against the stems of file names (a folder of text files calls the image ``a`` that a JSON
    file calls ``a.jpg``), then ids as text, then ids that are themselves names of image files. Ids
    that are left over are paired as text, where that is unambiguous, and listed.

    Parameters
    ----------
    reference, candidate : Images
        The two image tables.

    Returns
    -------
    rows : (n_candidate_images,) int64
        Rows of the reference's image table, -1 for images it does not have.
    problems : list of Problem
        Where file names and ids contradict each other, or ids differ in type alone.

    Raises
    ------
    MatchError
        Where no image is shared.

    Examples
    --------
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Images
    >>> gold = Images.build(ids_array([7, 8]), file_name=ids_array(["a.jpg", "b.jpg"]))
    >>> work = Images.build(ids_array(["b"]))
    >>> align_images(gold, work)[0].tolist()
    [1]
    """
    ref_ids, cand_ids = reference.id.tolist(), candidate.id.tolist()
    ref_names, cand_names = _names(reference), _names(candidate)
    if ref_ids and ref_ids == cand_ids and ref_names == cand_names:
        return np.arange(len(candidate), dtype=np.int64), []
    framed = align_frames(reference, candidate)
    if framed is not None:
        return framed
    by_id = _pair(ref_ids, cand_ids)
    rows = _pair(ref_names, cand_names)
    if (rows < 0).any():
        _fill(rows, _pair(_stems(ref_names), _stems(cand_names)))
    if (rows >= 0).any():
        problems = _contradictions(reference, candidate, rows, by_id)
        ref_unnamed = np.array([name is None for name in ref_names], dtype=bool)
        cand_unnamed = np.array([name is None for name in cand_names], dtype=bool)
        _fill(rows, np.where(cand_unnamed | ref_unnamed[by_id], by_id, -1))
        as_text = _pair_as_text(rows, ref_ids, cand_ids)
        by_text = np.where(cand_unnamed | ref_unnamed[as_text], as_text, -1)
        return rows, problems + _fill_as_text(rows, by_text, ref_ids, cand_ids)
    if (by_id >= 0).any():
        by_text = _pair_as_text(by_id, ref_ids, cand_ids)
        problems = _unshared_names(ref_names, cand_names)
        problems += _fill_as_text(by_id, by_text, ref_ids, cand_ids)
        return by_id, problems + _ambiguous_text(by_id, ref_ids, cand_ids)
    rows = _pair(_labels(ref_names, ref_ids), _labels(cand_names, cand_ids))
    if not (rows >= 0).any():
        rows = _pair([str(one) for one in ref_ids], [str(one) for one in cand_ids])
    if not (rows >= 0).any():
        rows = _by_filed_ids((ref_names, ref_ids), (cand_names, cand_ids))
    if not (rows >= 0).any():
        what = "the reference and the candidate have no image in common"
        raise MatchError(
            what,
            expected=f"images such as {_examples(reference)} (the reference)",
            found=f"{_examples(candidate)} (the candidate)",
            hint="check that both sides use the same file names or image ids",
        )
    return rows, []


def _names(images: Images) -> list[str | None]:
    if images.file_name is None:
        return [None] * len(images)
    return [name if isinstance(name, str) and name else None for name in images.file_name.tolist()]


_Side = tuple[list["str | None"], list[Any]]


def _by_filed_ids(*sides: _Side) -> Ints:
    """Pair by file names, where what a side calls the id of an image is the name of its file."""
    reference, candidate = (
        [_filed(one) if name is None else name for name, one in zip(*side, strict=True)]
        for side in sides
    )
    rows = _pair(reference, candidate)
    if (rows < 0).any():
        _fill(rows, _pair(_stems(reference), _stems(candidate)))
    return rows


def _filed(id: Any) -> str | None:
    """Return an id that is the name of an image file."""
    return id if isinstance(id, str) and id.lower().endswith(IMAGE_ENDINGS) else None


def _stem(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return base.rpartition(".")[0] or base


def _stems(names: list[str | None]) -> list[str | None]:
    return [None if name is None else _stem(name) for name in names]


def _labels(names: list[str | None], ids: list[Any]) -> list[str]:
    return [str(one) if name is None else _stem(name) for name, one in zip(names, ids, strict=True)]


def _pair(reference: Keys, candidate: Keys) -> Ints:
    """Pair equal keys; a key that stands for several images on either side tells nothing."""
    rows: dict[Hashable, int] = {}
    rows.update((key, row) for row, key in enumerate(reference) if key is not None)
    if len(rows) != len(reference):
        counts = Counter(reference)
        rows = {key: row for key, row in rows.items() if counts[key] == 1}
    found = [rows.get(key, -1) for key in candidate]
    if len(set(candidate)) != len(candidate):
        times = Counter(candidate)
        found = [row if times[key] == 1 else -1 for key, row in zip(candidate, found, strict=True)]
    return np.array(found, dtype=np.int64)


def _pair_as_text(rows: Ints, reference: list[Any], candidate: list[Any]) -> Ints:
    """Pair ids that read the same, where some are left over and differ in type."""
    if (rows >= 0).all() or len({*map(type, reference), *map(type, candidate)}) == 1:
        return np.full(len(rows), -1, dtype=np.int64)
    return _pair([str(one) for one in reference], [str(one) for one in candidate])


def _fill_as_text(
    rows: Ints, by_text: Ints, reference: list[Any], candidate: list[Any]
) -> list[Problem]:
    """Add pairs of ids that read the same, and say so once."""
    free = rows < 0
    _fill(rows, by_text)
    added = np.flatnonzero(free & (rows >= 0)).tolist()
    if not added:
        return []
    image = candidate[added[0]]
    message = (
        f"{len(added)} images were paired by ids that differ in type alone; for example "
        f"{image!r} in the candidate is {reference[rows[added[0]]]!r} in the reference"
    )
    return [_problem("image_id_type", message, image_id=image)]


def _ambiguous_text(rows: Ints, reference: list[Any], candidate: list[Any]) -> list[Problem]:
    """Say once that ids which read like one of the reference are left over all the same."""
    if (rows >= 0).all() or len({*map(type, reference), *map(type, candidate)}) == 1:
        return []
    texts = {str(one) for one in reference}
    left = [row for row in np.flatnonzero(rows < 0).tolist() if str(candidate[row]) in texts]
    if not left:
        return []
    image = candidate[left[0]]
    message = (
        f"{len(left)} images were not paired, as their ids read like those of other images of the "
        f"same side; for example {image!r} in the candidate"
    )
    return [_problem("image_id_type", message, image_id=image)]


def _fill(rows: Ints, more: Ints) -> None:
    """Add pairs for candidates that have none yet, unless their reference image is taken."""
    free = (rows < 0) & (more >= 0)
    free &= ~np.isin(more, rows[rows >= 0])
    rows[free] = more[free]


def _contradictions(reference: Images, candidate: Images, rows: Ints, by_id: Ints) -> list[Problem]:
    """Say once where pairing by id would have given another image than the file name."""
    wrong = np.flatnonzero((rows >= 0) & (by_id >= 0) & (rows != by_id))
    if not len(wrong) or reference.file_name is None or candidate.file_name is None:
        return []
    first = int(wrong[0])
    image_id = candidate.id[first : first + 1].tolist()[0]  # a plain int, not numpy's
    message = (
        f"{len(wrong)} image ids mean other files on the two sides; file names decide. For example "
        f"{image_id!r} is {candidate.file_name[first]!r} in the candidate and "
        f"{reference.file_name[by_id[first]]!r} in the reference"
    )
    return [_problem("image_id_conflict", message, image_id=image_id)]


def _unshared_names(reference: list[str | None], candidate: list[str | None]) -> list[Problem]:
    """Say once that images were paired by id though both sides have file names."""
    names = [
        next((one for one in side if one is not None), None) for side in (reference, candidate)
    ]
    if None in names:
        return []
    message = (
        f"no file name is shared, so images were paired by id; for example {names[1]!r} in the "
        f"candidate and {names[0]!r} in the reference"
    )
    return [_problem("image_name_mismatch", message)]


def _problem(kind: str, message: str, image_id: object = None) -> Problem:
    return Problem(
        kind=kind,
        severity="kept",
        source="<match>",
        where="images",
        image_id=image_id,
        message=message,
    )


def _examples(images: Images) -> str:
    names = _names(images)[:N_EXAMPLES]
    shown = [
        repr(one) if name is None else f"{one!r} ({name})"
        for one, name in zip(images.id[:N_EXAMPLES].tolist(), names, strict=True)
    ]
    return ", ".join(shown) + (", ..." if len(images) > N_EXAMPLES else "") if shown else "none"
