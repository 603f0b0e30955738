"""report: the pages of a scorecard: each a file that needs nothing but a browser or a printer."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import number_of
from annqc.report.html.texts import MARKS as STANDING_MARKS
from annqc.report.html.texts import NONE, count, interval, number
from annqc.report.plain import clean_lines, clean_text
from annqc.report.scorecard.biasbox import bias_drawing
from annqc.report.scorecard.card import SCORES
from annqc.report.scorecard.cells import edge_cells, score_cells
from annqc.report.scorecard.index import index_values
from annqc.report.scorecard.verdict import DIGITS, WORDS, share_words, worst_words
from annqc.report.standing import STANDINGS

if TYPE_CHECKING:
    import jinja2


__all__ = ["input_words", "render"]

MARKS: Final = {
    "accepted": "✓",
    "refused": "✕",
    "undecided": "?",
    "not_checked": "·",
    "error": "!",
    "no_rule": "·",
}
OUTCOME_MARKS: Final = {
    "pass": "✓",
    "fail": "✕",
    "undecided": "?",
    "not_applicable": "·",
    "error": "!",
}
MOST_TOLD: Final = {"biased": 8, "undecided": 2}
"""Sentences that a page has of each standing; too few images are told of together."""
MOST_NAMED: Final = 12
MOST_CHANGES: Final = 8
NAMED: Final = {"collective": "Off as everybody here is", "clean": "Clean"}
MOST_UNCHECKED: Final = 14
LONGEST: Final = 320
SAMPLES: Final = {
    "images_asked": "images asked for",
    "images_drawn_on": "images drawn on",
    "images_compared": "images compared with gold",
    "gold_objects": "gold objects on them",
    "objects_asked": "objects asked for, by annotator",
    "boxes_compared": "boxes compared with them",
    "annotators": "annotators",
    "rows_unusable": "rows that could not be used",
}
DIGEST: Final = 12
"""So many digits of a digest tell one file from another."""
MOST_FILES: Final = 4


def render(document: dict[str, Any]) -> dict[str, bytes]:
    """Render the index and all pages.

    Parameters
    ----------
    document : dict
        From `annqc.report.scorecard.document.make_document`.

    Returns
    -------
    dict of str to bytes
        File name, with ``/``, to what is in it.
    """
    templates = _environment()

    def made(name: str, **values: Any) -> bytes:
        text = templates.get_template(name).render(document=document, **values)
        return text.encode("utf-8", "backslashreplace")

    pages = document["pages"]
    files = input_words(document)
    contents = {"index.html": made("index.html", files=files, **index_values(document))}
    for card in pages:
        box, cells = bias_drawing(card["edges"]), _page(card, document)
        contents[card["page"]] = made("page.html", card=card, box=box, files=files, **cells)
    return contents


@cache
def _environment() -> jinja2.Environment:
    """Return the templates; whatever is put into them is escaped."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("annqc.report.scorecard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {"count": count}
    made.globals |= {"marks": MARKS, "words": WORDS, "outcome_marks": OUTCOME_MARKS}
    return made


def input_words(document: dict[str, Any]) -> str:
    """Name the files that were compared, each with the beginning of its digest."""
    said = []
    for role, word in (("candidate", "work"), ("reference", "gold")):
        mine = [one for one in document["inputs"] if one["role"] == role]
        names = [_file(one) for one in mine[:MOST_FILES]]
        rest = f" and {len(mine) - MOST_FILES:,} more" if len(mine) > MOST_FILES else ""
        said.append(f"{word} {', '.join(names)}{rest}" if names else f"{word} from memory")
    return "; ".join(said)


def _file(one: dict[str, Any]) -> str:
    name = clean_text(PurePath(one["path"]).name, width=60)
    return name if not one["sha256"] else f"{name} (SHA-256 {one['sha256'][:DIGEST]})"


def _finalize(value: Any) -> Any:
    """Clean all text on its way into a page; ``Markup`` comes from our own templates."""
    return clean_lines(value) if type(value) is str else value


def _page(card: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of a page is filled with, besides the card."""
    told = [one for one in card["annotators"]["told"] if one["text"]]
    shown = [
        one
        for place, most in MOST_TOLD.items()
        for one in [one for one in told if one["standing"] == place][:most]
    ]
    tolerance = document["parameters"]["tolerance"]
    others = {one["tolerance"] for one in card["checks"]} - {None, tolerance}
    beside = f" (tolerance {tolerance})" if others else ""  # a rule may come to another verdict
    silent = [_names(card, place) for place in ("collective", "clean")]
    counts = card["annotators"]["counts"]
    return {
        "evidence": number_of(2, card["evidence"]).removeprefix("2 "),
        "samples": [(title, _count(card["samples"][name])) for name, title in SAMPLES.items()],
        "scores": [(title, *score_cells(card["scores"][name])) for name, title in SCORES.items()],
        "edges": [edge_cells(one) for one in card["edges"]],
        "checks": [_check(one) for one in card["checks"]],
        "standings": [
            (place, STANDING_MARKS[place], place.replace("_", " "), counts[place])
            for place in STANDINGS
        ],
        "told": [(one["standing"], f"{'; '.join(one['text'])}{beside}") for one in shown],
        "left": sum(counts[place] for place in MOST_TOLD) - len(shown),
        "silent": [one for one in silent if one],
        "changes": [one["text"] for one in card["changes"][:MOST_CHANGES]],
        "changes_left": len(card["changes"]) - MOST_CHANGES,
        "watched": _watched(card),
        "has_more": any(edge_cells(one)["more"] for one in card["edges"]),
        "not_checked": [clean_text(one, width=LONGEST) for one in card["not_checked"]][
            :MOST_UNCHECKED
        ],
        "not_checked_left": len(card["not_checked"]) - MOST_UNCHECKED,
    }


def _watched(card: dict[str, Any]) -> str:
    """Say of whom changes over time were looked for; "" for nobody."""
    if not card["n_watched"]:
        return ""
    if not card["annotators"]["told"]:
        return "all of the work together"
    return number_of(card["n_watched"], "annotator")


def _names(card: dict[str, Any], place: str) -> str:
    """Name those who stand in one place without a sentence of their own."""
    told = card["annotators"]["told"]
    names = [one["annotator"] for one in told if one["standing"] == place and not one["text"]]
    if not names:
        return ""
    shown = ", ".join(clean_text(one, width=30) for one in names[:MOST_NAMED])
    left = f" and {count(len(names) - MOST_NAMED)} more" if len(names) > MOST_NAMED else ""
    return f"{NAMED[place]}: {shown}{left}"


def _count(value: int | None) -> str:
    return "not known" if value is None else count(value)


def _check(one: dict[str, Any]) -> dict[str, Any]:
    """Lay one check out; the sentence stands only where it does not pass."""
    unit = one["unit"]
    digits, name = DIGITS[unit], f" {unit}" if unit in {"px", "tolerances"} else ""
    signed = unit in {"px", "tolerances", "change"} and one["quantity"] is not None
    value = number(one["estimate"], digits, sign=signed)
    worst = worst_words(one)
    said = one["sentence"] if not one["n_groups"] and one["outcome"] == "pass" else ""
    return {
        "id": one["id"],
        "asked": f"{one['asked']}: {said}" if said else one["asked"],
        "outcome": one["outcome"],
        "word": one["outcome"].replace("_", " "),
        "group": clean_text(" ".join(worst.split()), width=40),
        "value": value if value == NONE else f"{value}{name}{share_words(one)}",
        "interval": interval(one["ci_low"], one["ci_high"], digits),
        "n_clusters": NONE if one["n_clusters"] is None else count(one["n_clusters"]),
        "sentence": _why(one),
    }


def _why(one: dict[str, Any]) -> str:
    """Say why a check does not pass, and of one that is undecided what would settle it."""
    if one["outcome"] == "pass":
        return str(one["caveat"])
    if one["outcome"] == "fail" and one["n_groups"] == 1 and not one["group"] and not one["notes"]:
        return ""  # the line says it all: the estimate, its interval, and what was asked
    said = clean_text(" ".join(one["sentence"].split()), width=LONGEST)
    if one["outcome"] != "undecided" or not one["more"]:
        return said
    few = one["n_few"] if not one["is_least"] else 0
    verb = "would settle these" if one["n_stuck"] or few else "would settle it"
    settled = [f"{one['more']} {'are needed' if one['is_least'] else verb}"]
    if one["n_stuck"]:
        groups = number_of(one["n_stuck"], one["groups"])
        settled.append(f"no reasonable number would settle {groups}")
    if few:
        settled.append(f"of {number_of(few, one['groups'])} there is too little to tell")
    if one["by_chance"]:
        return "; ".join([said, *settled])
    return "; ".join([*settled, *(clean_text(note, width=LONGEST) for note in one["notes"])])
