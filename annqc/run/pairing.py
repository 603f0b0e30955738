"""run: what two deliveries on the same gold have in common.

Only what both deliveries were asked for can be compared: the same annotator on the same image, and
gold objects that have not changed in between. So that the data alone differ, the earlier delivery
is judged by the parameters of the newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import MatchError
from annqc.ids import encode
from annqc.judge.wording import number_of
from annqc.match.images import align_images
from annqc.measure.offsets import clusters
from annqc.run.keys import combine, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["DECIMALS", "Comparison", "Groups", "Rows"]

DECIMALS: Final = 3
"""Gold boxes that agree to so many decimals of a pixel are the same."""
FEW_NAMES: Final = 3
"""Up to so many annotators are named in a note."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Rows:
    """One delivery's trials: event, and the rows they come from (-1 for none).

    ``reference`` and ``annotator`` are in the numbering of the newer delivery, ``candidate`` in the
    delivery's own.
    """

    event: Floats
    annotator: Ints
    reference: Ints
    candidate: Ints
    cluster: Ints

    def take(self, kept: Array) -> Rows:
        """Return some of the rows."""
        return Rows(**{name: getattr(self, name)[kept] for name in Rows.__slots__})

    def __len__(self) -> int:
        return len(self.event)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Groups:
    """Groups of the trials of both deliveries; -1 for none."""

    n: int
    keys: dict[str, Array]
    new: Ints
    old: Ints


class Comparison:
    """Two runs, the newer one and an earlier one, and what they have in common.

    Parameters
    ----------
    new, old : Run
        The two; ``old`` is redone under the parameters of ``new``. ``answered`` keeps what was
        asked before.
    """

    def __init__(self, new: Run, old: Run) -> None:
        self.new = new
        used = new.parameters
        old = old.with_parameters(
            policy=used.policy, tolerance=used.tolerance, confidence=used.confidence
        )
        if old.parameters != used:
            old = type(old)(old.reference, old.candidate, parameters=used, engine=new.engine)
        self.old = old
        self.answered: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def image(self) -> Ints:
        """Row in the newer gold of each image of the earlier gold, -1 where it has none."""
        images = self.new.reference.image_table, self.old.reference.image_table
        try:
            return align_images(*images)[0]
        except MatchError:
            return np.full(len(images[1]), -1, dtype=np.int64)

    @cached_property
    def annotator(self) -> Ints:
        """Place in the newer work of each annotator of the earlier work, -1 for none."""
        return _places(self.new.candidate.annotator_ids, self.old.candidate.annotator_ids)

    @cached_property
    def reference(self) -> Ints:
        """Row in the newer gold of each object of the earlier gold, -1 where it changed or is gone.

        An object is the same where image, box, category and the marks for crowds and ignored
        regions are; ids may change, as they do where a format has none.
        """
        n_new = len(self.new.reference.table)
        sides = (self.new, self.old)
        tables = [run.reference.table for run in sides]
        names = [
            run.matches.category_names[run.matches.reference_category].astype(str) for run in sides
        ]
        image = np.concatenate([tables[0].image, self._image_of(tables[1].image)])
        box = np.round(np.concatenate([one.xyxy for one in tables]), DECIMALS)
        category = encode(np.concatenate(names).astype(object))[0]
        marks = np.concatenate([2 * one.crowd + one.ignored for one in tables])
        rows = np.arange(len(image))
        order = np.lexsort((rows, marks, category, *box.T, image))
        key = np.column_stack([image, category, marks, box])[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (key[1:] != key[:-1]).any(axis=1)
        which = np.cumsum(first)
        earlier = order >= n_new
        # Equal boxes are counted up on either side, and paired in their order.
        seen = np.zeros(len(order), dtype=np.int64)
        for side in (earlier, ~earlier):
            at = np.flatnonzero(side)
            runs = which[at]
            seen[at] = np.arange(len(at)) - np.searchsorted(runs, runs)
        code = which * (len(order) + 1) + seen
        out = np.full(len(tables[1]), -1, dtype=np.int64)
        here, there = np.flatnonzero(~earlier), np.flatnonzero(earlier)
        _, a, b = np.intersect1d(code[here], code[there], return_indices=True)
        out[order[there[b]] - n_new] = order[here[a]]
        out[image[n_new:] < 0] = -1
        return out

    def _image_of(self, rows: Ints) -> Ints:
        return np.where(rows >= 0, self.image[np.maximum(rows, 0)], -1)

    def _annotator_of(self, rows: Ints) -> Ints:
        return self.annotator[rows] if len(rows) else rows

    @cached_property
    def shared_tasks(self) -> Ints:
        """Annotator x image that both deliveries were asked for, as codes of the newer one."""
        new, old = self.new.matches, self.old.matches
        return np.intersect1d(
            self._task(new.task_annotator, new.task_image),
            self._task(self._annotator_of(old.task_annotator), self._image_of(old.task_image)),
        )

    def _task(self, annotator: Ints, image: Ints) -> Ints:
        code = annotator * len(self.new.reference.image_table) + image
        return np.where((annotator < 0) | (image < 0), -1, code)

    def _object(self, annotator: Ints, reference: Ints) -> Ints:
        code = annotator * max(len(self.new.reference.table), 1) + reference
        return np.where((annotator < 0) | (reference < 0), -1, code)

    @cached_property
    def _asked(self) -> tuple[Ints, Ints]:
        """Annotator x object of both deliveries; -1 where the other does not know either."""
        new, old = self.new.detected, self.old.detected
        return (
            self._object(new.asked_annotator, new.asked_reference),
            self._object(
                self._annotator_of(old.asked_annotator), self.reference[old.asked_reference]
            ),
        )

    @cached_property
    def shared_objects(self) -> Ints:
        """Annotator x object that both deliveries were asked for, as codes of the newer one."""
        both = np.intersect1d(*self._asked)
        return both[both >= 0]

    @cached_property
    def _cluster(self) -> Ints:
        return clusters(self.new.matches)

    def rows(self, measure: str) -> tuple[Rows, Rows]:
        """Trials of a rate in both deliveries, those that can be compared.

        Parameters
        ----------
        measure : {"recall", "precision", "label_accuracy", "mean_iou"}
            Which rate.

        Returns
        -------
        new, old : Rows

        Notes
        -----
        Recall: the objects that both deliveries were asked for. Label accuracy and mean IoU: those
        of them that were drawn in both, so that nobody is accused who starts to find what is hard
        to draw. Precision: what was drawn on the images that both were asked for, and where no gold
        object came, went or changed.
        """
        if measure == "recall":
            return self._recall(self.new), self._recall(self.old)
        if measure == "precision":
            return self._drawn(self.new), self._drawn(self.old)
        return self._paired(self.new, measure), self._paired(self.old, measure)

    def _recall(self, run: Run) -> Rows:
        newer = run is self.new
        found = run.detected
        codes = self._asked[0 if newer else 1]
        candidate = np.full(len(codes), -1, dtype=np.int64)
        candidate[: len(found.pair_candidate)] = found.pair_candidate
        who, reference = found.asked_annotator, found.asked_reference
        if not newer:
            who, reference = self._annotator_of(who), self.reference[reference]
        kept = np.isin(codes, self.shared_objects)
        return self._rows(found.found, who, reference, candidate, kept)

    def _paired(self, run: Run, measure: str) -> Rows:
        newer = run is self.new
        found = run.detected
        event = found.iou if measure == "mean_iou" else found.right_label
        who = run.candidate.table.annotator[found.pair_candidate]
        reference = found.pair_reference
        if not newer:
            who, reference = self._annotator_of(who), self.reference[reference]
        kept = np.isin(self._object(who, reference), self._drawn_in_both)
        return self._rows(event, who, reference, found.pair_candidate, kept)

    @cached_property
    def _drawn_in_both(self) -> Ints:
        """Annotator x object that was drawn in both deliveries, as codes of the newer one."""
        new, old = self.new, self.old
        drawn = np.intersect1d(
            self._object(
                new.candidate.table.annotator[new.detected.pair_candidate],
                new.detected.pair_reference,
            ),
            self._object(
                self._annotator_of(old.candidate.table.annotator[old.detected.pair_candidate]),
                self.reference[old.detected.pair_reference],
            ),
        )
        return np.intersect1d(drawn, self.shared_objects)

    def _rows(self, event: Array, who: Ints, reference: Ints, candidate: Ints, kept: Bools) -> Rows:
        reference = reference[kept]
        return Rows(
            event=np.asarray(event, dtype=np.float64)[kept],
            annotator=who[kept],
            reference=reference,
            candidate=candidate[kept],
            cluster=self._cluster[reference],
        )

    @cached_property
    def changed_images(self) -> Bools:
        """Images of the newer gold on which an object came, went or changed."""
        table, other = self.new.reference.table, self.old.reference.table
        same = np.zeros(len(table), dtype=bool)
        same[self.reference[self.reference >= 0]] = True
        gone = self._image_of(other.image[self.reference < 0])
        out = np.zeros(len(self.new.reference.image_table), dtype=bool)
        out[table.image[~same]] = True
        out[gone[gone >= 0]] = True
        return out

    def _drawn(self, run: Run) -> Rows:
        newer = run is self.new
        found = run.detected
        candidate = found.drawn_candidate
        who = run.candidate.table.annotator[candidate]
        image = run.matches.image_of_candidate[candidate]
        if not newer:
            who, image = self._annotator_of(who), self._image_of(image)
        kept = np.isin(self._task(who, image), self.shared_tasks)
        kept &= ~self.changed_images[np.maximum(image, 0)]
        return Rows(
            event=found.real[kept].astype(np.float64),
            annotator=who[kept],
            reference=np.full(int(kept.sum()), -1, dtype=np.int64),
            candidate=candidate[kept],
            cluster=self._unit_of_image[image[kept]],
        )

    @cached_property
    def _unit_of_image(self) -> Ints:
        """Find the evidence that a drawn box counts to: the sequence in video, else the image."""
        images = self.new.reference.image_table
        if self.new.reference.table.track is None or images.sequence is None:
            return np.arange(len(images))
        return encode(images.sequence)[0]

    @cached_property
    def measured(self) -> tuple[Ints, Ints]:
        """Rows of the measurements of both deliveries that are of the same annotator and object."""
        new, old = self.new.measurements, self.old.measurements
        codes = (
            self._object(new.annotator, new.reference),
            self._object(self._annotator_of(old.annotator), self.reference[old.reference]),
        )
        shared, first, second = np.intersect1d(*codes, return_indices=True)
        return first[shared >= 0], second[shared >= 0]

    def measured_rows(self) -> tuple[Rows, Rows]:
        """Rows of the measurements of both deliveries, as trials, for grouping."""
        first, second = self.measured
        out = []
        for run, rows in ((self.new, first), (self.old, second)):
            who = run.measurements.annotator[rows]
            reference = run.measurements.reference[rows]
            if run is not self.new:
                who, reference = self._annotator_of(who), self.reference[reference]
            out.append(
                Rows(
                    event=np.zeros(len(rows)),
                    annotator=who,
                    reference=reference,
                    candidate=run.measurements.candidate[rows],
                    cluster=self._cluster[reference],
                )
            )
        return out[0], out[1]

    def grouped(self, by: Sequence[str], new: Rows, old: Rows) -> Groups:
        """Group the trials of both deliveries by the columns of the newer one.

        Trials whose column says nothing, or a value that the newer delivery does not have, belong
        to no group: -1.
        """
        keys = resolve(self.new.matches, by)
        earlier = resolve(self.old.matches, by)
        sides: list[list[Ints]] = [[], []]
        for key, past in zip(keys, earlier, strict=True):
            for side, rows, own in ((0, new, key), (1, old, past)):
                if key.name == "annotator":
                    code = rows.annotator
                elif key.reference is not None and (rows.reference >= 0).all():
                    code = key.reference[rows.reference]
                elif own.candidate is not None and (rows.candidate >= 0).all():
                    code = own.candidate[rows.candidate]
                    code = code if side == 0 else _places(key.values, own.values)[code]
                else:
                    code = np.full(len(rows), -1, dtype=np.int64)
                sides[side].append(code)
        sizes = [len(key.values) for key in keys]
        codes: list[Ints] = []
        for parts, rows in zip(sides, (new, old), strict=True):
            code = combine(parts, sizes) if parts else np.zeros(len(rows), dtype=np.int64)
            bad = np.zeros(len(rows), dtype=bool)
            for part in parts:
                bad |= part < 0
            codes.append(np.where(bad, -1, code))
        present = np.unique(np.concatenate(codes))
        present = present[present >= 0]
        dense = [np.where(c < 0, -1, np.searchsorted(present, c)) for c in codes]
        values: dict[str, Array] = {}
        rest = present
        for key in reversed(keys):
            values[key.name] = key.values[rest % max(len(key.values), 1)]
            rest = rest // max(len(key.values), 1)
        return Groups(
            n=len(present), keys={name: values[name] for name in by}, new=dense[0], old=dense[1]
        )

    def object_codes(self, rows: Rows) -> Ints:
        """Annotator x object of each row, the same code in both deliveries."""
        return self._object(rows.annotator, rows.reference)

    def task_codes(self, rows: Rows, *, newer: bool) -> Ints:
        """Annotator x image of each drawn row, the same code in both deliveries."""
        run = self.new if newer else self.old
        image = run.matches.image_of_candidate[rows.candidate]
        return self._task(rows.annotator, image if newer else self._image_of(image))

    def nothing(self) -> str:
        """Say why the two have nothing in common; empty where they have."""
        if not (self.annotator >= 0).any():
            return "the baseline has no work of any of these annotators"
        if not (self.shared_tasks >= 0).any():
            return "nobody was asked for the same images in the baseline"
        if not len(self.shared_objects):
            return "the gold of all images in common has changed since the baseline"
        return ""

    def notes(self, *, images: bool = False) -> tuple[str, ...]:
        """Say what took no part.

        Parameters
        ----------
        images : bool
            Count images, and not objects.
        """
        if self.nothing():
            return (self.nothing(),)
        notes: list[str] = []
        ids = self.new.candidate.annotator_ids
        known = np.isin(np.arange(len(ids)), self.annotator)
        fresh = [str(one) for one in ids[~known]]
        if fresh and known.any():
            notes.append(f"{_few(fresh)} {'is' if len(fresh) == 1 else 'are'} not in the baseline")
        notes += self._gone()
        if images:
            tasks = self.new.matches
            there = known[tasks.task_annotator]
            shared = np.isin(self._task(tasks.task_annotator, tasks.task_image), self.shared_tasks)
            shared &= ~self.changed_images[tasks.task_image]
        else:
            there = known[self.new.detected.asked_annotator]
            shared = np.isin(self._asked[0], self.shared_objects)
        left, total = int((there & ~shared).sum()), int(there.sum())
        if 0 < left < total:
            what = "images that were asked for" if images else "objects that were asked for"
            notes.append(f"{left:,} of {total:,} {what} are new, or their gold has changed")
        return tuple(notes)

    def _gone(self) -> list[str]:
        """Say who and what of the baseline is not delivered any more."""
        old = self.old
        left = [str(one) for one in old.candidate.annotator_ids[self.annotator < 0]]
        image = self._image_of(np.unique(old.matches.task_image))
        delivered = np.zeros(len(self.new.reference.image_table), dtype=bool)
        delivered[self.new.matches.task_image] = True
        missing = int((~delivered[image] | (image < 0)).sum())
        said = [_few(left)] if left else []
        said += [number_of(missing, "image")] if missing else []
        if not said:
            return []
        verb = "is" if len(left) + missing == 1 else "are"
        return [f"{' and '.join(said)} of the baseline {verb} not in this delivery"]


def _few(names: list[str]) -> str:
    """Name a few, and count the others."""
    text = ", ".join(names[:FEW_NAMES])
    return text + (f" and {len(names) - FEW_NAMES:,} more" if len(names) > FEW_NAMES else "")


def _places(values: Array, wanted: Array) -> Ints:
    """Position of each wanted value among the values, -1 where it is not there."""
    at = {value: place for place, value in enumerate(values.tolist())}
    return np.array([at.get(value, -1) for value in wanted.tolist()], dtype=np.int64)
