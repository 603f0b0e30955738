"""report: the pages of a scorecard: each a file that needs nothing but a browser or a printer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.report.html.texts import MARKS as STANDING_MARKS
from annqc.report.html.texts import NONE, count, interval, number
from annqc.report.plain import clean_lines, clean_text
from annqc.report.scorecard.card import SCORES, box_of
from annqc.report.scorecard.verdict import WORDS
from annqc.report.standing import STANDINGS

if TYPE_CHECKING:
    import jinja2

    from annqc.run.scorecardunits import Unit

__all__ = ["render"]

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
NAMED: Final = {"collective": "Off as everybody here is", "clean": "Clean"}
MOST_UNCHECKED: Final = 14
LONGEST: Final = 200
SAMPLES: Final = {
    "images_asked": "images asked for",
    "images_drawn_on": "images drawn on",
    "images_compared": "images compared with gold",
    "gold_objects": "gold objects on them",
    "boxes_compared": "boxes compared with them",
    "annotators": "annotators",
    "rows_unusable": "rows that could not be used",
}
RANK_WIDTH: Final = 120.0
DIGITS: Final = {"px": 1, "tolerances": 1, "count": 0, "": 3, "change": 3}


def render(document: dict[str, Any], units: list[Unit]) -> dict[str, bytes]:
    """Render the index and all pages.

    Parameters
    ----------
    document : dict
        From `annqc.report.scorecard.document.make_document`.
    units : list of Unit
        What the pages are of, in the same order; the pictures are drawn from them.

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
    n_ranked = sum(card["rank_low"] is not None for card in pages)
    contents = {"index.html": made("index.html", rows=[_row(card, n_ranked) for card in pages])}
    for card, unit in zip(pages, units, strict=True):
        contents[card["page"]] = made("page.html", card=card, box=box_of(unit), **_page(card))
    return contents


@cache
def _environment() -> jinja2.Environment:
    """Return the templates; whatever is put into them is escaped."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("annqc.report.scorecard"),
                # The bias box is drawn as in the report of an audit.
                jinja2.PrefixLoader({"report": jinja2.PackageLoader("annqc.report.html")}),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {"count": count}
    made.globals |= {"marks": MARKS, "words": WORDS, "outcome_marks": OUTCOME_MARKS}
    return made


def _finalize(value: Any) -> Any:
    """Clean all text on its way into a page; ``Markup`` comes from our own templates."""
    return clean_lines(value) if type(value) is str else value


def _page(card: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of a page is filled with, besides the card."""
    told = [one for one in card["annotators"]["told"] if one["text"]]
    shown = [
        one
        for place, most in MOST_TOLD.items()
        for one in [one for one in told if one["standing"] == place][:most]
    ]
    silent = [_names(card, place) for place in ("collective", "clean")]
    counts = card["annotators"]["counts"]
    return {
        "evidence": number_of(2, card["evidence"]).removeprefix("2 "),
        "samples": [(title, _count(card["samples"][name])) for name, title in SAMPLES.items()],
        "scores": [(title, *_score(card["scores"][name])) for name, title in SCORES.items()],
        "edges": [_edge(one) for one in card["edges"]],
        "checks": [_check(one) for one in card["checks"]],
        "standings": [
            (place, STANDING_MARKS[place], place.replace("_", " "), counts[place])
            for place in STANDINGS
        ],
        "told": [(one["standing"], "; ".join(one["text"])) for one in shown],
        "left": sum(counts[place] for place in MOST_TOLD) - len(shown),
        "silent": [one for one in silent if one],
        "not_checked": [clean_text(one, width=LONGEST) for one in card["not_checked"]][
            :MOST_UNCHECKED
        ],
        "not_checked_left": len(card["not_checked"]) - MOST_UNCHECKED,
    }


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


def _score(score: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return a rate, its interval, what it is of and the clusters."""
    wrong, of = score["n_wrong"], count(score["n"])
    total = of if wrong is None else f"{count(score['n'] - wrong)} of {of}"
    ends = interval(score["ci_low"], score["ci_high"], 3) if score["estimate"] is not None else ""
    return number(score["estimate"], 3), ends, total, count(score["n_clusters"])


def _edge(one: dict[str, Any]) -> dict[str, Any]:
    rel = None if one["estimate_rel"] is None else 100 * one["estimate_rel"]
    more = one["n_more"] if one["verdict"] == "undecided" else None
    about = "at least" if one["n_clusters"] < G_MIN else "about"
    return {
        "name": one["name"],
        "px": number(one["estimate_px"], sign=True),
        "px_interval": interval(one["ci_low_px"], one["ci_high_px"]),
        "rel": number(rel, sign=True),
        "tolerances": number(one["estimate"], sign=True),
        "tolerances_interval": interval(one["ci_low"], one["ci_high"]),
        "n_clusters": count(one["n_clusters"]),
        "verdict": one["verdict"],
        "mark": STANDING_MARKS.get(one["verdict"], "·"),
        "more": "" if more is None else f"{about} {count(more)} more",
    }


def _check(one: dict[str, Any]) -> dict[str, Any]:
    """Lay one check out; the sentence stands only where it does not pass."""
    unit = one["unit"]
    digits, name = DIGITS[unit], f" {unit}" if unit in {"px", "tolerances"} else ""
    signed = unit in {"px", "tolerances", "change"} and one["quantity"] is not None
    value = number(one["estimate"], digits, sign=signed)
    group = ", ".join(str(value) for value in one["group"].values())
    quantity = (one["quantity"] or "").removeprefix("out_").replace("_", " ")
    worst = " ".join(part for part in (group, quantity) if part)
    if not one["n_groups"] and one["outcome"] == "pass":
        worst = one["sentence"]
    return {
        "id": one["id"],
        "asked": one["asked"],
        "outcome": one["outcome"],
        "word": one["outcome"].replace("_", " "),
        "group": clean_text(" ".join(worst.split()), width=40),
        "value": value if value == NONE else f"{value}{name}",
        "interval": interval(one["ci_low"], one["ci_high"], digits),
        "n_clusters": NONE if one["n_clusters"] is None else count(one["n_clusters"]),
        "sentence": _why(one),
    }


def _why(one: dict[str, Any]) -> str:
    """Say why a check does not pass; of one that is undecided what would settle it."""
    if one["outcome"] == "pass":
        return ""
    if one["outcome"] == "undecided" and one["more"]:
        return f"{one['more']}{' would settle it' if not one['is_least'] else ' are needed'}"
    return clean_text(" ".join(one["sentence"].split()), width=LONGEST)


def _row(card: dict[str, Any], n_ranked: int) -> dict[str, Any]:
    """Return a line of the index."""
    known = [one for one in card["edges"] if one["estimate"] is not None]
    worst = max(known, key=lambda one: abs(one["estimate"]), default=None)
    low, high = card["rank_low"], card["rank_high"]
    bar = None
    if low is not None and n_ranked > 1:
        step = (RANK_WIDTH - 12.0) / (n_ranked - 1)
        bar = (6.0 + (low - 1) * step, 6.0 + (high - 1) * step)
    return {
        "card": card,
        "scores": [_score(card["scores"][name])[:2] for name in SCORES],
        "worst": None if worst is None else _edge(worst),
        "rank": NONE if low is None else f"{low:,}" if low == high else f"{low:,} to {high:,}",
        "bar": bar,
    }
