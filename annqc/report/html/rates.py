"""report: recall, precision and labels of everybody beside those of the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.report.shares import hundredths, share_ends
from annqc.report.view import clusters_word

if TYPE_CHECKING:
    from annqc.report.html.story import Person, Story
    from annqc.tables import Floats, Ints

__all__ = ["LEAST_OTHERS", "RATES", "Rates", "rate_text"]

LEAST_OTHERS: Final = 3
"""With fewer a middle says little, and tells who it is."""
LEAST_TRIALS: Final = 30
"""Nobody is said to be low on fewer boxes or objects."""
RATES: Final = {
    "recall": "found {} % of the {} objects",
    "precision": "{} % of the drawn boxes are around a {} object",
    "label_accuracy": "{} % of the labels agree with the {}",
}
TITLES: Final = {"recall": "Recall", "precision": "Precision", "label_accuracy": "Labels"}


class Rates:
    """Holds the rates of everybody in one audit against those of the others.

    A rate is low where it is below that of a typical annotator by more than chance explains, for
    anybody and any of the three rates (Bonferroni). Typical is the median, or the rate of all
    together where that is less: a median of 100 % would make every slip a finding.

    Parameters
    ----------
    story : Story
        The audit.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        people = story.people
        self._at = {person.page: k for k, person in enumerate(people)}
        self._middle = {
            name: _middles(np.array([one.score[name] for one in people], dtype=np.float64))
            for name in RATES
        }
        self._low = {name: self._below(name) for name in RATES}

    def median_of_others(self, person: Person, name: str) -> tuple[float, int]:
        """Return the median of the others who have a rate, and how many they are.

        The median is NaN where they are too few.
        """
        middle, n = self._middle[name]
        k = self._at[person.page]
        return float(middle[k]), int(n[k])

    def is_low(self, person: Person, name: str) -> bool:
        """Whether a rate is below that of a typical annotator by more than chance explains.

        On `LEAST_TRIALS` boxes or objects, and by a hundredth at least, as both are shown.
        """
        middle = self.median_of_others(person, name)[0]
        if person.page not in self._low[name] or not math.isfinite(middle):
            return False
        return hundredths(person.score[name]) < hundredths(middle)

    def _below(self, name: str) -> set[str]:
        """Return the pages of those whose rate is low."""
        story = self._story
        known = [one.score[name] for one in story.people if math.isfinite(one.score[name])]
        if not story.named or len(known) <= LEAST_OTHERS:
            return set()
        whole = float(story.run.score_columns(())[name][0])
        limit = min(float(np.median(known)), whole)
        found = story.run.rate_columns(name, limit=limit, at_least=True)
        level = (1 - story.run.parameters.confidence) / (len(RATES) * len(known))
        sure = (found["p_value"] < level) & (found["n_clusters"] >= G_MIN)
        sure &= found["n"] >= LEAST_TRIALS
        low = set(found["annotator"][sure].tolist())
        keys = story.view.keys["annotator"]
        return {one.page for one in story.people if keys[one.group] in low}

    def low(self, person: Person) -> list[str]:
        """Name the rates that are low."""
        return [name for name in RATES if self.is_low(person, name)]

    def compared(self, person: Person) -> bool:
        """Whether there are enough others to hold a rate of a person against."""
        return any(math.isfinite(self.median_of_others(person, name)[0]) for name in RATES)

    def lowest(self) -> list[dict[str, Any]]:
        """Say of each rate who has the lowest, of those with enough evidence for a verdict.

        Returns
        -------
        list of dict
            ``title``, ``person`` and ``said``; no person where all have the same. Rates that fewer
            than two people have are not in it.
        """
        found: list[dict[str, Any]] = []
        for name, title in TITLES.items():
            known = [one for one in self._story.people if _known(one, name)]
            if len(known) < 2:
                continue
            person = min(known, key=lambda one: (one.score[name], one.name))
            if person.score[name] == max(one.score[name] for one in known):
                alike = f"{hundredths(person.score[name])} % for all {len(known):,} annotators"
                found.append({"title": title, "person": None, "said": alike})
                continue
            low = sum(self.is_low(one, name) for one in known)
            ends = " to ".join(map(str, share_ends(*_ends(person, name))))
            evidence = clusters_word(self._story.view, int(person.score[f"{name}_n_clusters"]))
            said = f"{hundredths(person.score[name])} % ({ends} %, {evidence})"
            if self.compared(person):
                verb = "is" if low == 1 else "are"
                said += (
                    f"; {low:,} of {number_of(len(known), 'annotator')} {verb} below the others "
                    "by more than chance explains"
                )
            found.append({"title": title, "person": person, "said": said})
        return found


def rate_text(story: Story, person: Person, name: str) -> str:
    """Say a rate with its interval; empty where it is undefined or has no interval.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    name : str
        One of `RATES`.
    """
    value, ends = person.score[name], _ends(person, name)
    if any(not math.isfinite(one) for one in (value, *ends)):
        return ""
    text = RATES[name].format(hundredths(value), story.view.side)
    evidence = clusters_word(story.view, int(person.score[f"{name}_n_clusters"]))
    shown = " to ".join(map(str, share_ends(*ends)))
    middle, n = story.rates.median_of_others(person, name)
    others = f"; median of the {n:,} others {hundredths(middle)} %" if math.isfinite(middle) else ""
    return f"{text} ({shown} %, {evidence}{others})"


def _ends(person: Person, name: str) -> tuple[float, float]:
    return person.score[f"{name}_low"], person.score[f"{name}_high"]


def _known(person: Person, name: str) -> bool:
    """Whether a rate has an interval, and as much evidence as a verdict takes."""
    enough = int(person.score[f"{name}_n_clusters"]) >= G_MIN
    return enough and all(math.isfinite(one) for one in _ends(person, name))


def _middles(values: Floats) -> tuple[Floats, Ints]:
    """Return for each value the median of the others that are known, and how many those are."""
    known = np.isfinite(values)
    ordered = np.sort(values[known])
    n = known.sum() - known.astype(np.int64)
    out = np.full(len(values), np.nan)
    for k in np.flatnonzero(n >= LEAST_OTHERS).tolist():
        own = np.searchsorted(ordered, values[k]) if known[k] else len(ordered)
        ends = [(int(n[k]) - 1) // 2, int(n[k]) // 2]
        out[k] = np.mean([ordered[one + (one >= own)] for one in ends])
    return out, n
