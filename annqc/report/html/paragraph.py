"""report: what a person can be told about their work, and how sure that is."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final

from annqc.judge.wording import number_of
from annqc.report.shares import hundredths, share_ends
from annqc.report.standing import FEW_OBJECTS, edges_text
from annqc.report.view import clusters_word

if TYPE_CHECKING:
    from annqc.report.html.story import Person, Story

__all__ = ["paragraph"]

DOUBT: Final = "; what was missed or could not be paired might change this"
LEAST_OTHERS: Final = 3
"""With fewer a middle says little, and tells who it is."""
RATES: Final = (
    ("recall", "found {} % of the gold objects"),
    ("precision", "{} % of the drawn boxes are around a gold object"),
    ("label_accuracy", "{} % of the labels agree with the gold"),
)


def paragraph(story: Story, person: Person) -> list[str]:
    """Say what was found of a person, never more strongly than the numbers.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.

    Returns
    -------
    list of str
        Sentences, with their full stops.
    """
    view, standing = story.view, person.standing
    score = person.score
    boxes, images, objects = (int(score[one]) for one in ("n_drawn", "n_images", "n_reference"))
    drawn = f"{number_of(boxes, 'box', 'boxes')} on {number_of(images, 'image')}"
    said = [f"{person.name}: {drawn}, against {number_of(objects, 'gold object')}."]
    said += [f"{one.text}{DOUBT if one.sensitive else ''}." for one in person.sentences]
    if standing.place == "clean":
        sure = f", but {FEW_OBJECTS}" if standing.sensitive else ""
        evidence = clusters_word(view, standing.n_clusters)
        said.append(f"All four edges are shown to be within tolerance on {evidence}{sure}.")
    elif standing.place == "collective":
        said.append("The edges are off as everybody's are, and nothing beyond that is shown.")
    elif standing.place == "undecided":
        open_ = edges_text(standing.open_edges)
        verb = "is" if len(standing.open_edges) == 1 else "are"
        subject = open_ if open_.startswith("all") else f"the {open_}"
        said.append(
            f"Undecided: {subject} {verb} neither biased nor shown to be within tolerance; "
            f"{person.settle}."
        )
    elif standing.place == "too_few":
        said.append(f"Nothing can be said of the edges: {person.settle}.")
    elif standing.open_edges:
        said.append(f"Undecided besides: {edges_text(standing.open_edges)}.")
    rates = [text for name, words in RATES if (text := _rate(story, person, name, words))]
    if rates:
        said.append(f"{'; '.join(rates)}.".capitalize())
    return said


def _rate(story: Story, person: Person, name: str, words: str) -> str:
    """Say a rate with its interval; nothing where it is undefined or has no interval."""
    value, low, high = (person.score[one] for one in (name, f"{name}_low", f"{name}_high"))
    if any(not math.isfinite(one) for one in (value, low, high)):
        return ""
    text = words.format(hundredths(value))
    evidence = clusters_word(story.view, int(person.score[f"{name}_n_clusters"]))
    ends = " to ".join(map(str, share_ends(low, high)))
    return f"{text} ({ends} %, {evidence}{_beside(story, person, name)})"


def _beside(story: Story, person: Person, name: str) -> str:
    """Say what the others have in the middle, where there are some who could be told."""
    others = [one.score[name] for one in story.people if one is not person]
    known = [one for one in others if math.isfinite(one)]
    if len(known) < LEAST_OTHERS:
        return ""
    return f"; median of the {len(known):,} others {hundredths(median(known))} %"
