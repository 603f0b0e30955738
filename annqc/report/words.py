"""report: findings in words, never stronger than the numbers.

One habit moves several of the eight quantities: a box that is too far right has a tight left and a
loose right edge. The tables keep every row; the words tell a habit once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.collective import collective
from annqc.judge import wording
from annqc.judge.wording import OBJECTS, amount, number_of, told_in
from annqc.measure.offsets import AXIS, MARGIN
from annqc.report.plain import name_text
from annqc.report.view import clusters_word
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.view import View
    from annqc.run.audit import Run

__all__ = [
    "SENSITIVE",
    "Sentence",
    "accused_sentences",
    "biased_sentences",
    "collective_sentences",
    "told_once",
]

ALIKE: Final = 0.5
"""Two edges are moved alike where the smaller offset is at least this share of the larger one."""

EDGE_NAMES: Final = tuple(OBJECTS[name].removeprefix("the ") for name in EDGES)
DIRECTIONS: Final = {
    name: (f"too {positive}", f"too {negative}")
    for name, (positive, negative) in wording.DIRECTIONS.items()
}
"""What a positive and a negative value mean."""

SENSITIVE: Final = "SELECTION_SENSITIVE"
"""Flag of findings that what could not be paired might turn over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One habit of one group in words.

    Attributes
    ----------
    group : int
        Row of the `View`.
    quantities : tuple of str
        The findings that the sentence stands for, the told one first.
    text : str
    weight : float
        How far beyond its margin the told finding is; the worst has the largest.
    sensitive : bool
        Whether what could not be paired might change the verdict.
    part : int
        Row of the view of parts that the finding is on; -1 where it is on the whole work.
    """

    group: int
    quantities: tuple[str, ...]
    text: str
    weight: float
    sensitive: bool
    part: int = -1


def told_once(offset: Sequence[float], biased: Sequence[bool]) -> list[tuple[int, ...]]:
    """Choose which of the biased quantities of one group to tell, and what each stands for.

    Parameters
    ----------
    offset : (8,) sequence of float
        Offsets in tolerance units, in the order of `annqc.tables.QUANTITIES`.
    biased : (8,) sequence of bool
        Which of them are biased.

    Returns
    -------
    list of tuple of int
        One tuple a sentence: the quantity to tell, then those it explains.

    Notes
    -----
    On each axis: a biased shift is told for both edges where they are moved alike in one direction,
    a biased growth where they are moved alike outward or inward and both of them are biased, or
    neither. Otherwise the biased edges are told, and a shift or a growth only where no edge is
    biased.

    Examples
    --------
    >>> told_once([0, 4, 0, -4, 0, -4, 0, 0], [False, True, False, True, False, True, False, False])
    [(5, 1, 3)]
    >>> told_once([0, 0, 5, 0, 2.5, 0, 5, 0], [False, False, True, False, True, False, True, False])
    [(2, 4, 6)]
    """
    told: list[tuple[int, ...]] = []
    for axis in (0, 1):
        low, high, shift, growth = axis, axis + 2, axis + 4, axis + 6
        named = [k for k in (low, high, shift, growth) if biased[k]]
        if not named:
            continue
        small, large = sorted((abs(offset[low]), abs(offset[high])))
        alike = large > 0 and small >= ALIKE * large
        opposite = offset[low] * offset[high] < 0
        if alike and opposite and biased[shift]:
            first = [shift]
        elif alike and not opposite and biased[growth] and biased[low] == biased[high]:
            first = [growth]
        else:
            edges = [k for k in (low, high) if biased[k]]
            whole = sorted(
                (k for k in (shift, growth) if biased[k]), key=lambda k: -abs(offset[k]) / MARGIN[k]
            )
            first = edges or whole[:1]
        rest = tuple(k for k in named if k not in first)
        told += [(first[0], *rest), *((k,) for k in first[1:])]
    return told


def biased_sentences(view: View) -> list[Sentence]:
    """Say who is biased, the worst first.

    Parameters
    ----------
    view : View
        Findings.

    Returns
    -------
    list of Sentence
    """
    found = [
        _sentence(view, group, told)
        for group in np.flatnonzero(view.biased.any(axis=1)).tolist()
        for told in told_once(view.columns["estimate"][group], view.biased[group])
    ]
    return _worst_first(found)


def _worst_first(found: list[Sentence]) -> list[Sentence]:
    worst: dict[int, float] = {}
    for one in found:
        worst[one.group] = max(worst.get(one.group, 0.0), one.weight)
    return sorted(found, key=lambda one: (-worst[one.group], one.group, -one.weight))


def accused_sentences(view: View, parts: View | None) -> list[Sentence]:
    """Say which annotators are biased, the worst first.

    Parameters
    ----------
    view : View
        Annotators as a whole.
    parts : View, optional
        Findings on parts of their work; speaks for those who are accused of a part alone.

    Returns
    -------
    list of Sentence
        ``group`` is the row of ``view``.
    """
    found = biased_sentences(view)
    if parts is None:
        return found
    names = view.keys["annotator"].tolist()
    silent = {
        names[row]: row for row in np.flatnonzero(view.off & ~view.biased.any(axis=1)).tolist()
    }
    inside = [
        replace(one, group=silent[who], part=one.group)
        for one in biased_sentences(parts)
        if (who := parts.keys["annotator"][one.group]) in silent
    ]
    return _worst_first([*found, *inside])


def _sentence(view: View, group: int, told: tuple[int, ...]) -> Sentence:
    k, columns = told[0], view.columns
    unit, (value, low, high) = told_in(view.finding(group, k), view.tolerance)
    size, interval = amount(value, low, high, unit)
    evidence = clusters_word(view, int(columns["n_clusters"][group, k]))
    shared = float(columns["collective"][group, k])
    excess = float(columns["excess"][group, k])
    name = QUANTITIES[k]
    what = f"the {EDGE_NAMES[k]}" if k < 4 else "boxes"
    direction = DIRECTIONS[name][value < 0]
    beyond = "" if math.isnan(shared) else ", more than everybody"
    said = f"{size} {direction} ({interval}, {evidence}{beyond})"
    place = view.where(group)
    if "annotator" in view.by:
        who = name_text(view.keys["annotator"][group], width=40)
        text = f"{who} draws {what} {said}" + (f" on {place}" if place else "")
    else:
        verb = "is" if k < 4 else "are"
        text = (f"on {place} " if place else "") + f"{what} {verb} {said}"
    return Sentence(
        group=group,
        quantities=tuple(QUANTITIES[one] for one in told),
        text=text,
        weight=abs(excess) / float(MARGIN[k]),
        sensitive=SENSITIVE in columns["flags"][group, k],
    )


def collective_sentences(run: Run, by: Sequence[str] = ("annotator",)) -> list[str]:
    """Say what everybody does alike: the annotators, or the gold, or the guideline.

    Parameters
    ----------
    run : Run
        The comparison.
    by : sequence of str
        Grouping of the findings.

    Returns
    -------
    list of str
        Empty where nothing is shared, and where there are too few annotators to ask.
    """
    everybody = run.annotator_findings(by).collective
    if everybody is None or not everybody.biased[0].any():
        return []
    told = told_once(everybody.estimate[0], everybody.biased[0])
    measured = run.measurements
    pixels = (measured.tolerance <= measured.rule.px).mean(axis=0) >= 0.5
    sentences = []
    for k, *_ in told:
        unit = "px" if pixels[AXIS[k]] else "rel"
        found = collective(
            measured.values(unit)[k : k + 1],
            item=measured.reference,
            annotator=measured.annotator,
            cluster=measured.cluster,
            group=np.zeros(len(measured), dtype=np.int64),
            n_groups=1,
            margin=MARGIN[k : k + 1],
            group_grid=np.zeros((1, 1)),
            alpha=1 - run.parameters.confidence,
        )
        value, low, high = (float(a[0, 0]) for a in (found.estimate, found.ci_low, found.ci_high))
        if not min(value * low, value * high, value * everybody.estimate[0, k]) > 0:
            bounds = (everybody.estimate, everybody.ci_low, everybody.ci_high)
            unit, (value, low, high) = "", tuple(float(a[0, k]) for a in bounds)
        size, interval = amount(value, low, high, unit)
        kind = "image" if everybody.method[0, k] == "objects" else "annotator"
        evidence = number_of(int(everybody.n_clusters[0, k]), kind)
        what = f"the {EDGE_NAMES[k]} is" if k < 4 else "boxes are"
        direction = DIRECTIONS[QUANTITIES[k]][value < 0]
        sentences.append(f"{what} {size} {direction} for everybody ({interval}, {evidence})")
    return sentences
