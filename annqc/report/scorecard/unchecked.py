"""report: what the page of a scorecard does not answer, each sentence from a fact of the data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import G_MIN
from annqc.judge.registry import find_measure
from annqc.judge.wording import number_of
from annqc.report.compared import compared, few_annotators, meeting, notes
from annqc.report.plain import clean_text
from annqc.report.scorecard.changes import untested_words
from annqc.report.scorecard.verdict import rules_left
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from annqc.judge.model import Spec
    from annqc.report.scorecard.card import Common
    from annqc.run.audit import Run
    from annqc.run.scorecard.checks import Held
    from annqc.run.scorecard.units import Cut, Unit

__all__ = ["categories_of", "unchecked"]

FEW: Final = 5
ASKED_OF: Final = {
    "edges": ("edge_offset", *EDGES),
    "recall": ("recall",),
    "precision": ("precision",),
    "labels": ("label_accuracy",),
    "mean IoU": ("mean_iou",),
    "missing images": ("missing_images",),
    "unusable rows": ("unusable_rows", "problems"),
}
"""What a delivery of boxes is usually asked for, and the measures that ask it."""


def unchecked(
    found: Cut,
    unit: Unit,
    card: dict[str, Any],
    held: Held | None,
    *,
    common: Common,
) -> list[str]:
    """Say what was not checked of one page.

    Parameters
    ----------
    found : Cut
        The delivery.
    unit : Unit
        The work of the page.
    card : dict
        What is on the page already.
    held : Held or None
        The spec applied to it.
    common : Common
        What all pages share.

    Returns
    -------
    list of str
        Sentences without full stops, the weightiest first.
    """
    said = [*_images(unit), *_dropped(unit), *_rules(card, held, common.spec)]
    if unit.run is not None:
        said += [*_people(unit, card), *_categories(common.categories, unit.run, unit)]
        said += [*_edges(unit.run, card), *_shapes(unit.run, card)]
        said += [clean_text(one) for one in _notes(unit.run, found)]
    return [*said, *_period(found, unit, card, common)]


def _images(unit: Unit) -> Iterator[str]:
    """Say how much of the work was looked at."""
    if unit.n_outside_images:
        boxes = number_of(unit.n_outside_boxes, "box", "boxes")
        images = number_of(unit.n_outside_images, "image")
        yield f"{boxes} on {images} without gold, of {unit.n_drawn_on:,} drawn on"
    if unit.n_asked is None:
        yield (
            "images that were asked for and left out: the work does not say what was asked for, so "
            "images without a box count neither for nor against"
        )
    elif unit.n_asked > len(unit.gold_images) + unit.n_outside_images:
        rest = unit.n_asked - len(unit.gold_images) - unit.n_outside_images
        yield f"{number_of(rest, 'image')} that were asked for, not drawn on, and are without gold"
    if unit.n_idle_annotators:
        yield f"{number_of(unit.n_idle_annotators, 'annotator')} without any image that has gold"


def _dropped(unit: Unit) -> Iterator[str]:
    """Say which rows cannot be used."""
    if unit.n_dropped:
        kinds = Counter(one.kind for one in unit.issues if one.severity == "dropped")
        listed = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common(3))
        verb = "counts" if unit.n_dropped == 1 else "count"
        rows = number_of(unit.n_dropped, "row")
        yield f"{rows} that cannot be used ({listed}) and {verb} as not drawn"


def _rules(card: dict[str, Any], held: Held | None, spec: Spec | None) -> Iterator[str]:
    """Say which rules were not applied or could not be, and what none asks for."""
    if spec is None:
        yield "acceptance: no rule was given"
        return
    if held is None:
        return
    left = rules_left(held)
    if left:
        verb = "was" if len(left) == 1 else "were"
        yield f"{_some(left)}: in the spec, and {verb} not applied, for other rules were chosen"
    asked = {one.measure for one in spec.rules}
    silent = [name for name, measures in ASKED_OF.items() if not asked & set(measures)]
    if silent:
        yield f"no rule of the spec asks for {', '.join(silent)}"
    for one in card["checks"]:
        if one["outcome"] in {"not_applicable", "error"}:
            yield f"{one['id']}: {clean_text(one['sentence'], width=300)}"


def _people(unit: Unit, card: dict[str, Any]) -> Iterator[str]:
    """Say of whom there is too little."""
    told = card["annotators"]["told"]
    few = [one["annotator"] for one in told if one["standing"] == "too_few"]
    if few:
        who = number_of(len(few), "annotator")
        yield f"the edges of {who} with fewer than {G_MIN} images: {_some(few)}"
    open_ = card["annotators"]["counts"]["undecided"]
    if open_:
        who = number_of(open_, "annotator")
        yield f"the edges of {who}: not enough images to call them biased or clean"
    if unit.run is not None and unit.run.candidate.anonymous:
        yield "single annotators: nobody is named in the work"


def _categories(wanted: Collection[str], run: Run, unit: Unit) -> Iterator[str]:
    """Say which categories of the gold were not there, or on too few images."""
    images = categories_of(run)
    absent = [name for name in wanted if name not in images]
    if absent:
        verb = "was" if len(absent) == 1 else "were"
        n = number_of(len(unit.gold_images), "image")
        yield f"of the gold's categories {_some(absent)} {verb} on none of the {n}"
    few = [f"{name} ({n})" for name, n in images.items() if n < G_MIN]
    if few:
        yield f"categories on fewer than {G_MIN} images, by themselves: {_some(few)}"


def categories_of(run: Run) -> dict[str, int]:
    """Count the gold images on which each category has an object.

    Parameters
    ----------
    run : Run
        The comparison; categories without an object are left out.
    """
    table = run.reference.table
    real = ~(table.crowd | table.ignored)
    names = run.reference.category_names
    pairs = np.unique(np.stack([table.category[real], table.image[real]]), axis=1)
    count = np.bincount(pairs[0], minlength=len(names)).tolist()
    return {str(name): n for name, n in zip(names.tolist(), count, strict=True) if n}


def _edges(run: Run, card: dict[str, Any]) -> Iterator[str]:
    """Say how many objects the edges do not speak for."""
    asked = card["scores"]["recall"]["n"]
    measured = int(run.measurements.usable[:, :4].any(axis=1).sum())
    if measured < asked:
        rest = number_of(asked - measured, "object")
        yield f"the edges of {rest} of {asked:,}, which were missed or could not be measured"


def _shapes(run: Run, card: dict[str, Any]) -> Iterator[str]:
    """Name what is in the data besides boxes."""
    asked = [find_measure(one["measure"]) for one in card["checks"]]
    drawn = [side.table.shapes is not None for side in (run.reference, run.candidate)]
    if run.has_outlines:
        if not any(one.outlines for one in asked):
            yield "outlines: there are some on both sides, and no rule asks for them"
    elif any(drawn):
        yield f"outlines: only the {'gold' if drawn[0] else 'work'} has them"
    if run.has_tracks and not any(one.tracks for one in asked):
        yield "tracks over time: no rule asks for them"


def _notes(run: Run, found: Cut) -> Sequence[str]:
    """Return what holds for any audit: what was left out, and what to mind.

    How many annotators there are is asked of the whole delivery: it tells gold from people.
    """
    c = compared(run)
    left = []
    if c.n_border:
        left.append(f"the offset of {number_of(c.n_border, 'edge')} at the image border")
    if c.n_ambiguous:
        pairs = number_of(c.n_ambiguous, "pair")
        left.append(f"the offsets of {pairs} of boxes that have another partner as good")
    few = few_annotators(c.n_annotators)
    everywhere = few_annotators(compared(found.run).n_annotators)
    minds = [everywhere if one == few else one for one in notes(c)]
    return [*left, *meeting(run), *filter(None, minds)]


def _period(found: Cut, unit: Unit, card: dict[str, Any], common: Common) -> Iterator[str]:
    """Say what is not known of time."""
    if card["period"] is None:
        if len(found.run.candidate):
            yield "change over time: no column says when the work was done"
        return
    without = card["period"]["n_without"]
    if unit.run is not None and (said := untested_words(common.changed.left(unit.run))):
        yield said
    if without:
        boxes = number_of(without, "box", "boxes")
        yield f"the time of {boxes}, of which {card['period']['column']} says nothing readable"


def _some(names: Sequence[str]) -> str:
    shown = [clean_text(one, width=40) for one in names[:FEW]]
    rest = len(names) - FEW
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")
