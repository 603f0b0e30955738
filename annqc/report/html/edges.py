"""report: the offsets of one pair, with those that did not enter the offsets of the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.measure.offsets import offsets
from annqc.report.html.pictures import SHORT
from annqc.report.html.texts import number
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Bools, Floats

__all__ = ["Edges", "PairEdges"]

BORDER: Final = "at the border of the image"
GATED: Final = "too little overlap across"
AMBIGUOUS: Final = "another object could be meant"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Edges:
    """Offsets of the edges of one pair.

    Attributes
    ----------
    px : (4,) float64
        Outward, in pixels, in the order of `annqc.tables.EDGES`.
    counted : (4,) bool
        Which of them entered the offsets of the person.
    why : list of str
        Why the others did not.
    """

    px: Floats
    counted: Bools
    why: list[str]

    def said(self) -> list[str]:
        """Say the offsets, and apart from them those that did not count."""
        told: dict[str, list[str]] = {}
        for k, name in enumerate(EDGES):
            text = f"{SHORT[name]} {number(float(self.px[k]), sign=True)}"
            told.setdefault("" if self.counted[k] else self.why[k], []).append(text)
        first = [f"{', '.join(told.pop(''))} px"] if "" in told else []
        rest = [f"{', '.join(texts)} px left out ({why})" for why, texts in told.items()]
        return first + rest


class PairEdges:
    """Measures the edges of single pairs.

    Parameters
    ----------
    run : Run
        The comparison.
    """

    def __init__(self, run: Run) -> None:
        matches = run.matches
        self._matches, self._measured = matches, run.measurements
        some = matches.pair_ambiguous
        gold, drawn = (
            one[some].tolist() for one in (matches.pair_reference, matches.pair_candidate)
        )
        self._ambiguous = set(zip(gold, drawn, strict=True))

    def of(self, reference: int, candidate: int, pair: int) -> Edges | None:
        """Measure a pair; None where it is none.

        Parameters
        ----------
        reference, candidate : int
            Rows of the gold and of the work, -1 for none.
        pair : int
            Row of the measurements in which ``candidate`` is, -1 for none.
        """
        measured, matches = self._measured, self._matches
        if reference < 0 or candidate < 0:
            return None
        counted, why = np.zeros(len(EDGES), dtype=bool), [AMBIGUOUS] * len(EDGES)
        if pair >= 0 and measured.reference[pair] == reference:
            counted = measured.usable[pair, : len(EDGES)]
            why = [BORDER if one else GATED for one in measured.at_border[pair].tolist()]
        elif (reference, candidate) not in self._ambiguous:
            return None
        boxes = matches.reference.table.xyxy[[reference]], matches.candidate.table.xyxy[[candidate]]
        return Edges(px=offsets(*boxes)[0], counted=counted, why=why)
