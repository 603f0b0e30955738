"""report: what was tested of size, place and time, and what of it a person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.padding import LABELS
from annqc.report.changed import change_sentences
from annqc.report.html.pictures import SHORT
from annqc.run.dependence import STATUSES
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Person, Story
    from annqc.tables import Array

__all__ = [
    "change_lines",
    "changed_people",
    "dependence_sentences",
    "found_edges",
    "padding_sentences",
    "tested",
]

FOUND: Final = ("depends", "changed")
TELLING: Final = (*FOUND, "measurable")
FITTED: Final = ("ADDITIVE", "PROPORTIONAL", "BOTH")
NOTHING: Final = {
    "size": "No dependence on the size of objects was found",
    "place": "No dependence on the place was found",
    "session": "No dependence on the hours into a sitting was found",
    "padding": "Neither padding nor scaling was found",
    "change": "No lasting change was found",
}
ASKED: Final = {
    "size": "Size was",
    "place": "The place was",
    "session": "Hours into a sitting were",
    "padding": "Padding and scaling were",
    "change": "Changes were",
}
EXPLAINED: Final = "Offsets in tolerances go with the size as padding or scaling explains"
LIKE_SIZES: Final = {
    "change": "A lasting change cannot be told from that of the size of the objects",
    "session": "Hours into a sitting cannot be told from the size of the objects",
    "place": "The place cannot be told from the size of the objects",
}
MIXED: Final = "; before and after a change together"
N_PEOPLE: Final = 10
LINE: Final = "#D55E00"

Row = dict[str, Any]


def rows_of(story: Story, person: Person) -> list[Row]:
    """Return the rows of `annqc.Audit.dependence` on a person.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    """
    columns = story.run.dependence_columns()
    at: Array = np.arange(len(columns["question"]))
    if story.named:
        at = np.flatnonzero(columns["annotator"] == story.view.keys["annotator"][person.group])
    lists = {name: column[at].tolist() for name, column in columns.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def tested(story: Story, person: Person, *questions: str) -> dict[str, list[str]]:
    """Say what some questions found on a person: what there is, and where there is nothing.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    *questions : str
        Of `annqc.run.dependence.QUESTIONS`.

    Returns
    -------
    dict of str to list of str
        ``found`` and ``rest``, sentences with their full stops.
    """
    mine = rows_of(story, person)
    changed = {row["quantity"] for row in mine if row["verdict"] == "changed"}
    explained = {row["quantity"] for row in mine if row["question"] == "padding" and _is_known(row)}
    found = [
        _sentence(
            row["text"] + (MIXED if question != "change" and row["quantity"] in changed else "")
        )
        for question in questions
        for row in mine
        if row["question"] == question
        and (row["verdict"] in TELLING or row["verdict"] in FITTED)
        and not (question == "size" and row["quantity"] in explained)
    ]
    rest: dict[str, list[str]] = {}
    for question in questions:
        for row in mine:
            if row["question"] != question:
                continue
            edge = SHORT[row["quantity"]]
            if question == "size" and row["verdict"] in TELLING and row["quantity"] in explained:
                rest.setdefault(EXPLAINED, []).append(edge)
            elif row["verdict"] in {"not_found", "UNRESOLVED"}:
                rest.setdefault(NOTHING[question], []).append(edge)
            elif row["verdict"] == "NOT_SEPARABLE":
                why = f"Padding and scaling cannot be told apart ({LABELS['NOT_SEPARABLE']})"
                rest.setdefault(why, []).append(edge)
            elif row["status"] == "like_sizes":
                rest.setdefault(LIKE_SIZES[question], []).append(edge)
            elif row["verdict"] == "not_tested":
                why = f"{ASKED[question]} not tested ({STATUSES[row['status']]})"
                rest.setdefault(why, []).append(edge)
    return {"found": found, "rest": [f"{what}: {_edges(on)}." for what, on in rest.items()]}


def dependence_sentences(story: Story, person: Person) -> list[str]:
    """Say since when and on which kind of object a person's edges are off.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.

    Returns
    -------
    list of str
        Sentences, with their full stops, that join those of the paragraph. What is less than a
        tolerance is left to the sections, and sizes to padding where this explains them.
    """
    mine = rows_of(story, person)
    by_edge = {(row["quantity"], row["question"]): row for row in mine}
    told = [row for row in mine if row["verdict"] == "changed"]
    changed = {row["quantity"] for row in told}
    for edge in EDGES:
        if edge in changed:
            continue
        explained = _is_known(by_edge[edge, "padding"])
        told += [
            by_edge[edge, question]
            for question in ("size", "place", "session")
            if by_edge[edge, question]["verdict"] == "depends"
            and not (question == "size" and explained)
        ]
    return [_sentence(row["text"]) for row in told]


def padding_sentences(story: Story, person: Person) -> list[str]:
    """Say of edges that are off whether it is so many pixels or a share of the side.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.

    Returns
    -------
    list of str
        Sentences, with their full stops; none of edges that changed.
    """
    mine = rows_of(story, person)
    changed = {row["quantity"] for row in mine if row["verdict"] == "changed"}
    return [
        _sentence(row["text"])
        for row in mine
        if row["question"] == "padding"
        and row["quantity"] not in changed
        and _is_fitted(story, person, row, EDGES.index(row["quantity"]))
    ]


def _is_fitted(story: Story, person: Person, fit: Row, edge: int) -> bool:
    """Whether an edge is accused, and padding or scaling is found on it beyond chance."""
    off = story.view.columns["verdict"][person.group, edge] == "biased"
    return bool(off and _is_known(fit))


def _is_known(fit: Row) -> bool:
    """Whether padding or scaling is found beyond chance."""
    return fit["verdict"] in FITTED and fit["p_adjusted"] <= 1 - fit["confidence_level"]


def found_edges(story: Story, person: Person) -> set[int]:
    """Return edges that changed or depend on something, by position in `annqc.tables.EDGES`.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    """
    mine = rows_of(story, person)
    return {EDGES.index(row["quantity"]) for row in mine if row["verdict"] in FOUND}


def changed_people(story: Story) -> dict[str, Any]:
    """Say who changed, for the first page: the largest changes, and how many more there are.

    Parameters
    ----------
    story : Story
        The audit.
    """
    said = [f"{one}." for one in change_sentences(story.run)]
    chance = f"{100 * (1 - story.run.parameters.confidence):g}"
    return {"found": said[:N_PEOPLE], "left": max(len(said) - N_PEOPLE, 0), "chance": chance}


def change_lines(story: Story, person: Person) -> list[Figure]:
    """Draw upright lines into the panels of a trend, where an edge changed.

    Parameters
    ----------
    story : Story
        The audit.
    person : Person
        One of its people.
    """
    lines: list[Figure] = []
    for row in rows_of(story, person):
        if row["question"] == "change" and row["verdict"] in TELLING:
            k = EDGES.index(row["quantity"])
            suffix = "" if k == 0 else str(k + 1)
            # Plotly takes times without a zone for those of the axis, which are UTC.
            since = row["since"].removesuffix("+00:00").replace("T", " ")
            lines.append(
                {
                    "type": "line",
                    "xref": f"x{suffix}",
                    "yref": f"y{suffix} domain",
                    "x0": since,
                    "x1": since,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": LINE, "width": 1.5, "dash": "dash"},
                }
            )
    return lines


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _edges(names: list[str]) -> str:
    return "all edges" if len(names) == len(EDGES) else ", ".join(names)
