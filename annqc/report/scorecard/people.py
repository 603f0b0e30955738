"""report: where the annotators of a page stand, by what was found in the whole delivery.

Who is called biased is decided once, of everybody together, so that a page says what the report and
the terminal say, and so that cutting a delivery into more pages accuses nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.report.standing import STANDINGS, display_name, settle_text, standings
from annqc.report.view import view_of
from annqc.report.words import accused_sentences, collective_sentences
from annqc.run.scorecard.caution import LEAST_BOXES
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Collection

    from annqc.report.view import View
    from annqc.report.words import Sentence
    from annqc.run.audit import Run

__all__ = ["People", "people_of", "people_on"]


STANDING_ORDER: Final = {place: k for k, place in enumerate(STANDINGS)}


@dataclass(frozen=True, eq=False, slots=True)
class People:
    """The annotators of a delivery.

    Attributes
    ----------
    told : dict of object to dict
        Annotator to ``annotator, standing, text``, in the order in which they are told.
    collective : list of str
        What everybody in the delivery does alike.
    """

    told: dict[object, dict[str, Any]]
    collective: list[str]


def people_of(run: Run) -> People:
    """Say where everybody stands, and of those who are not clean why.

    Parameters
    ----------
    run : Run
        The whole delivery.

    Notes
    -----
    Who is accused on fewer than `LEAST_BOXES` boxes is undecided here.
    """
    if run.candidate.anonymous:
        return People({}, [])
    view = view_of(run)
    said: dict[int, list[Sentence]] = {}
    for sentence in accused_sentences(view, None):
        said.setdefault(sentence.group, []).append(sentence)
    rows = []
    for one in standings(view):
        place, sentences = one.place, said.get(one.group, [])
        sound = [each for each in sentences if not _is_handful(view, each)]
        text = [each.text for each in sound]
        if place == "biased" and sentences and not sound:
            place = "undecided"
            text = [_handful_text(view, each) for each in sentences]
        elif place in {"undecided", "too_few"}:
            text = [f"{display_name(view, one.group)}: {settle_text(view, one)}"]
        name = view.keys["annotator"][one.group]
        told = {"annotator": clean_text(name), "standing": place, "text": text}
        rows.append((STANDING_ORDER[place], one.group, name, told))
    rows.sort(key=lambda row: row[:2])
    return People({name: told for _, _, name, told in rows}, collective_sentences(run))


def people_on(
    people: People, run: Run, *, shared: list[str], spread: Collection[object] = ()
) -> dict[str, Any]:
    """Return those of a page: counts by standing, everybody's, and what all of them do alike.

    Parameters
    ----------
    people : People
        Everybody.
    run : Run
        The work of the page.
    shared : list of str
        What everybody on the page does alike.
    spread : collection of object
        Annotators whose work is on several pages. A page speaks of their work on it alone, and
        calls nobody biased whom the whole delivery does not.
    """
    here = set(run.candidate.annotator_ids.tolist())
    own = people_of(run).told if here & set(spread) else {}
    told = [
        _of_the_page(one, own[name]) if name in spread and name in own else one
        for name, one in people.told.items()
        if name in here
    ]
    told.sort(key=lambda one: STANDING_ORDER[one["standing"]])
    counts = {place: sum(one["standing"] == place for one in told) for place in STANDINGS}
    return {"counts": counts, "told": told, "collective": shared}


def _of_the_page(whole: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Tell of one person what is found in their work on one page of several."""
    if own["standing"] == "biased" and whole["standing"] != "biased":
        text = [f"{one}; not confirmed in all of the delivery" for one in own["text"]]
        return {**own, "standing": "undecided", "text": text}
    if own["standing"] != "biased" and whole["standing"] == "biased":
        name = own["annotator"]
        note = f"{name}: what the whole delivery finds under this name is not found on this page"
        return {**own, "text": [*own["text"], note]}
    return own


def _boxes(view: View, one: Sentence) -> int:
    return int(view.columns["n"][one.group, QUANTITIES.index(one.quantities[0])])


def _is_handful(view: View, one: Sentence) -> bool:
    return _boxes(view, one) < LEAST_BOXES


def _handful_text(view: View, one: Sentence) -> str:
    boxes = number_of(_boxes(view, one), "box", "boxes")
    return f"{one.text}; {boxes} are too few to call anybody biased, {LEAST_BOXES} are needed"
