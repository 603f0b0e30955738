"""run: everybody against a consensus of the others, so that nobody is compared with themselves.

Each annotator gets images of their own: for ann and bob on image 7 there are two, with what the
others of each agree on. A consensus that contains somebody's drawings would forgive a part of
their offset, and a plain one of the others would hand their offsets on to whoever is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.consensus.others import leave_one_out
from annqc.errors import AnnqcError
from annqc.ids import ids_array
from annqc.tables import Annotations, Dataset, Images, Problem

if TYPE_CHECKING:
    from annqc.run.consensus import Consensus
    from annqc.tables import Bools, Floats, Ints

__all__ = ["OTHERS", "against_the_others", "refuse_two"]

OTHERS: Final = "consensus of the others"
"""Who drew the reference."""
KIND: Final = "consensus_reference"
QUORUM: Final = 0.5
"""Share of the others who must have drawn what somebody drew."""


def refuse_two(found: Consensus) -> None:
    """Refuse to judge where every annotator has a single other: only their difference is known.

    Parameters
    ----------
    found : Consensus
        The consensus of all.

    Raises
    ------
    AnnqcError
        With what can be asked instead.
    """
    status = found.fit.links.status
    if not np.isin(status, ("two_annotators", "one_source", "not_linked")).all():
        return
    what = "of two annotators only the difference is known: neither can be judged by the other"
    hint = "annqc consensus tells by how much they differ; a third annotator, or some gold, decides"
    expected = "three annotators who drew the same images, or gold"
    raise AnnqcError(what, where="work", expected=expected, hint=hint)


def against_the_others(found: Consensus) -> tuple[Dataset, Dataset]:
    """Make a reference and a candidate that judge everybody by the others.

    Parameters
    ----------
    found : Consensus
        The consensus of all.

    Returns
    -------
    reference, candidate : Dataset
        Images are called ``"7 (ann)"``. An object that somebody did not draw is in their reference
        if the consensus has it; one that they drew, if half of the others who were asked drew it
        too. What is doubtful or contested is ignored: neither missed nor spurious; and so is what
    somebody shares with a single other annotator alone, for only their difference is known.

    Raises
    ------
    AnnqcError
        Every annotator has a single other.

    Notes
    -----
    Edges are those of `annqc.consensus.others.leave_one_out`, the others' offsets taken off.
    """
    refuse_two(found)
    work, objects = found.work, found.clusters
    asked = objects.asked
    n_people = max(len(work.annotator_ids), 1)
    # one image an annotator and image that was asked
    pair_image, pair_person = asked.image, asked.annotator
    pair_of = np.full(len(work.image_table) * n_people, -1)
    pair_of[pair_image * n_people + pair_person] = np.arange(len(pair_image))
    images = _images(work, pair_image, pair_person)
    boxes, place, category, ignored = _references(found, pair_of, n_people)
    mind = (
        "there is no gold: everybody is compared with a consensus of the others, in which an "
        "offset that all have cannot be seen"
    )
    problem = Problem(
        kind=KIND, severity="kept", source="<consensus>", where="the reference", message=mind
    )
    reference = Dataset(
        table=Annotations.build(
            image=place,
            annotator=np.zeros(len(place), dtype=np.int64),
            category=category,
            xyxy=boxes,
            ignored=ignored,
        ),
        image_table=images,
        annotator_ids=ids_array([OTHERS]),
        category_ids=work.category_ids,
        category_names=work.category_names,
        issues=(problem,),
        n_rows=len(place),
    )
    rows = np.flatnonzero(~work.table.crowd)
    table = work.table.take(rows)
    moved = pair_of[table.image * n_people + table.annotator]
    columns: dict[str, Any] = {
        name: getattr(table, name)
        for name in ("id", "score", "crowd", "ignored", "source", "row", "track", "keyframe")
    }
    candidate = Dataset(
        table=Annotations.build(
            image=moved,
            annotator=table.annotator,
            category=table.category,
            xyxy=table.xyxy,
            shapes=table.shapes,
            extra=table.extra,
            **columns,
        ),
        image_table=images,
        annotator_ids=work.annotator_ids,
        category_ids=work.category_ids,
        category_names=work.category_names,
        assigned=np.stack([pair_person, np.arange(len(pair_person))], axis=1),
        issues=work.issues,
        sources=work.sources,
        n_rows=work.n_rows,
        track_ids=work.track_ids,
    )
    return reference, candidate


def _images(work: Dataset, image: Ints, person: Ints) -> Images:
    """One image for every annotator and image."""
    given = work.image_table
    names = work.annotator_ids.tolist()
    ids = [
        f"{given.id[i]} ({names[p]})" for i, p in zip(image.tolist(), person.tolist(), strict=True)
    ]
    sequence = None
    if given.sequence is not None:
        several = zip(given.sequence[image].tolist(), person.tolist(), strict=True)
        sequence = ids_array([None if one is None else f"{one} ({names[p]})" for one, p in several])
    return Images.build(
        ids_array(ids),
        width=given.width[image],
        height=given.height[image],
        file_name=None if given.file_name is None else given.file_name[image],
        sequence=sequence,
        frame=None if given.frame is None else given.frame[image],
        extra={name: column[image] for name, column in given.extra.items()},
    )


def _references(found: Consensus, pair_of: Ints, n_people: int) -> tuple[Floats, Ints, Ints, Bools]:
    """Boxes, images, categories of what each is compared with, and what is ignored of it."""
    work, objects, fit = found.work, found.clusters, found.fit
    table = work.table
    drawn = np.flatnonzero(objects.object >= 0)
    who, what = table.annotator[drawn], objects.object[drawn]
    # those who were asked about each object, and whether they drew it
    sizes = objects.n_asked
    entry = np.repeat(np.arange(len(objects)), sizes)
    starts = objects.asked.offsets[objects.image]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    person = objects.asked.annotator[np.repeat(starts, sizes) + within]
    key = entry * n_people + person
    order = np.argsort(what * n_people + who)
    keys = (what * n_people + who)[order]
    at = np.minimum(np.searchsorted(keys, key), max(len(keys) - 1, 0))
    has = (keys[at] == key) if len(keys) else np.zeros(len(key), dtype=bool)
    row = np.where(has, drawn[order][at] if len(keys) else -1, -1)
    boxes = fit.edges[entry].copy()
    boxes[has] = leave_one_out(fit, table.xyxy).edges[row[has]]
    contested = np.asarray(fit.contested.any(axis=1))
    others_drew = objects.n_drawn[entry] - has
    others_asked = sizes[entry] - 1
    share = others_drew / np.maximum(others_asked, 1)
    sure = np.where(has, share >= QUORUM, found.kept[entry])
    # whether something is there is not for one other to say, but two who drew it agree
    sure &= (others_asked >= 2) | (has & (others_drew > 0))
    alone = has & (others_drew == 0) & (others_asked < 2)
    boxes[alone] = table.xyxy[row[alone]]
    good = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & ((others_drew > 0) | alone)
    category = np.maximum(found.labels.label, 0)[entry]
    # a vote that is split evenly tells nobody's label
    tied = has & found.labels.tied[entry]
    category[tied] = table.category[row[tied]]
    image = pair_of[objects.image[entry] * n_people + person]
    paired_off = np.asarray(fit.links.status == "two_annotators")[person]
    ignored = ~sure | contested[entry] | paired_off
    return boxes[good], image[good], category[good], ignored[good]
