"""report: what a person can be told about their work, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.report.compared import few_annotators
from annqc.report.html.dependence import dependence_sentences, found_edges, padding_sentences
from annqc.report.html.rates import RATES, rate_text
from annqc.report.standing import FEW_OBJECTS, edges_text
from annqc.report.view import clusters_word
from annqc.run.anonymous import STATUS

if TYPE_CHECKING:
    from annqc.report.html.story import Person, Story

__all__ = ["Told", "paragraph"]

DOUBT: Final = "; what was missed or could not be paired might change this"
UNEVEN: Final = "one number for all of the work says little, for it is not alike throughout"
THINGS: Final = {"Over time": "tracks", "Outlines": "outlines"}
"""What to look at, by `annqc.report.html.story.Person.habits`."""
WRONG: Final = {
    "recall": ("missed", "near_miss", "merged", "split", "far"),
    "precision": ("spurious", "near_miss", "duplicate", "split", "merged", "far"),
    "label_accuracy": ("mislabelled",),
}
"""Kinds of errors that take from a rate."""
PLAIN: Final = {
    "missed": "what was missed",
    "spurious": "the boxes on nothing",
    "near_miss": "the boxes that overlap their object too little",
    "duplicate": "the objects that were drawn twice",
    "merged": "the boxes around several objects",
    "split": "the objects in several boxes",
    "far": "the boxes far from their object",
    "mislabelled": "the labels",
}
SHARE: Final = 0.25
"""Kinds with a smaller share of the errors of a rate are not worth a word."""


class Told(NamedTuple):
    """What a person is told, in sentences with their full stops."""

    first: list[str]
    """What matters: accusations, on edges, tracks and outlines, since when or on what they are, and
    rates that are below those of the others; else where the edges stand."""
    then: str
    """What to do next."""
    rest: list[str]
    """The rest in short."""


def paragraph(story: Story, person: Person) -> Told:
    """Say what was found of a person, never more strongly than the numbers.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.

    Returns
    -------
    Told
    """
    low = story.rates.low(person)
    others = [name for name in RATES if name not in low]
    depends = dependence_sentences(story, person)
    accused, caveat = _accusations(story, person), _caveat(story)
    edges = _edges(story, person, found_edges(story, person))
    first = [*accused, *depends, *(caveat if accused or depends else []), *_low(story, person, low)]
    rest = [
        _head(story, person),
        *padding_sentences(story, person),
        *([] if accused or depends else caveat),
        *(edges if first else []),
        *_besides(person),
        *_sentence([text for name in others if (text := rate_text(story, person, name))]),
    ]
    return Told(first or edges, _next(story, person, low, depends=bool(depends)), rest)


def _head(story: Story, person: Person) -> str:
    score = person.score
    boxes, images, objects = (int(score[one]) for one in ("n_drawn", "n_images", "n_reference"))
    drawn = f"{number_of(boxes, 'box', 'boxes')} on {number_of(images, 'image')}"
    return f"{person.name}: {drawn}, against {number_of(objects, f'{story.view.side} object')}."


def _accusations(story: Story, person: Person) -> list[str]:
    said = []
    for one in person.sentences:
        # A name stays as it is.
        text = one.text if story.named else _capital(one.text)
        said.append(f"{text}{DOUBT if one.sensitive else ''}.")
    for what, habit in person.habits.items():
        said += [f"{what}: {text}." for text in habit.accusations]
    return said


def _caveat(story: Story) -> list[str]:
    """Say that the gold may be what is off, where nobody can tell."""
    if story.view.side != "gold":
        return []
    if not story.named:
        return ["Mind: an offset of the gold looks the same as one of the work."]
    few = few_annotators(len(story.people))
    return [f"Mind: {few}."] if few else []


def _low(story: Story, person: Person, low: list[str]) -> list[str]:
    """Say which rates are below those of the others."""
    texts = [rate_text(story, person, name) for name in low]
    told = "below the others by more than chance explains"
    return _sentence([f"{'; '.join(texts)}: {told}"] if texts else [])


def _edges(story: Story, person: Person, uneven: set[int]) -> list[str]:
    """Say where the edges stand, apart from accusations; some are not alike all over the work."""
    view, standing = story.view, person.standing
    if standing.place == "clean":
        sure = f", but {FEW_OBJECTS}" if standing.sensitive else ""
        more = " or more" if standing.least_clusters < standing.n_clusters else ""
        evidence = clusters_word(view, standing.least_clusters) + more
        taken = "Taken over all of the work, all" if uneven else "All"
        return [f"{taken} four edges are shown to be within tolerance on {evidence}{sure}."]
    if standing.place == "collective":
        return ["The edges are off as everybody's are, and nothing beyond that is shown."]
    if standing.place == "undecided":
        open_ = edges_text(standing.open_edges)
        verb = "is" if len(standing.open_edges) == 1 else "are"
        subject = open_ if open_.startswith("all") else f"the {open_}"
        open_ended = f"{subject} {verb} neither biased nor shown to be within tolerance"
        settle = UNEVEN if uneven & set(standing.stuck_edges) else person.settle
        return [f"Undecided: {open_ended}; {settle}."]
    if standing.place == "too_few":
        return [f"Nothing can be said of the edges: {person.settle}."]
    if standing.open_edges:
        return [f"Undecided besides: {edges_text(standing.open_edges)}."]
    return []


def _besides(person: Person) -> list[str]:
    """Say in short what is no accusation."""
    return [
        f"{what}: {'; '.join(habit.besides)}."
        for what, habit in person.habits.items()
        if habit.besides
    ]


def _next(story: Story, person: Person, low: list[str], *, depends: bool) -> str:
    """Say what to do, no more of it than the numbers bear."""
    place, standing = person.place, person.standing
    wrong = " and ".join(_wrong(story, person, low))
    things = ["annotations"] if place == "biased" else []
    things += [THINGS[what] for what, one in person.habits.items() if one.verdict == "biased"]
    if things:
        gold = ", and at the gold, which may be what is off" if _caveat(story) else ""
        then = f"; then look at {wrong}" if wrong else ""
        these = " and ".join(things)
        return f"Next: look at these {these} together, the farthest off first{gold}{then}."
    if depends:
        then = f"; then look at {wrong}" if wrong else ""
        return f"Next: look at annotations on both sides of that difference together{then}."
    if wrong:
        return f"Next: look at {wrong} together."
    if (story.view.columns["status"][person.group] == STATUS).all():
        return "Next: find out who drew what, for several people may stand behind it."
    if place == "too_few":
        short = G_MIN - standing.n_clusters
        needed = _more(story, short) if short > 0 else "about as many again"
        return f"Next: more is needed: {needed}, at least."
    if place == "undecided":
        if standing.stuck_edges or not math.isfinite(standing.n_more):
            return "Next: nothing for now; more of the same would not settle what is open."
        return f"Next: more is needed: about {_more(story, int(standing.n_more))}."
    if place == "collective":
        return (
            f"Next: nothing for one person: what everybody does alike is settled in the guideline "
            f"or in the {story.view.side}."
        )
    if standing.sensitive:
        return "Next: look at what was missed or could not be paired, which might change this."
    open_ = [what.lower() for what, one in person.habits.items() if one.verdict != "clean"]
    if open_:
        return f"Next: nothing on edges; {' and '.join(open_)} not settled, as said."
    if story.rates.compared(person):
        return "Next: nothing; no rate is shown to be below the others' either."
    return "Next: nothing on edges; whether the rates will do is for a limit to say."


def _wrong(story: Story, person: Person, low: list[str]) -> list[str]:
    """Name the kinds of errors that most of what is low comes from."""
    if not low:
        return []
    mine = story.rows(story.run.error_rows["annotator"], person)
    counted = Counter(story.run.error_columns()["kind"][mine].tolist())
    found: dict[str, int] = {}
    for name in low:
        kinds = {kind: counted[kind] for kind in WRONG[name] if counted[kind]}
        enough = SHARE * sum(kinds.values())
        found |= {kind: n for kind, n in kinds.items() if n >= enough}
    return [PLAIN[kind] for kind in sorted(found, key=lambda one: -found[one])]


def _more(story: Story, n: int) -> str:
    return clusters_word(story.view, n).replace(" ", " more ", 1)


def _sentence(texts: list[str]) -> list[str]:
    """Join texts to one sentence; none where there are none."""
    return [f"{_capital('; '.join(texts))}."] if texts else []


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
