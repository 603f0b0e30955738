"""report: a scorecard as Markdown, short enough for a comment on a merge request."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import number_of
from annqc.report.checks.markdown import escaped
from annqc.report.html.texts import NONE, interval, number
from annqc.report.scorecard.verdict import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["summary"]

MARKS: Final = {
    "accepted": "✅",
    "refused": "❌",
    "undecided": "❔",
    "not_checked": "⬜",
    "error": "💥",
    "no_rule": "⬜",
}
MOST_PAGES: Final = 100
MOST_FINDINGS: Final = 10
MOST_UNCHECKED: Final = 10
LONGEST: Final = 300


def summary(document: dict[str, Any]) -> str:
    """Write a scorecard as Markdown: verdicts, the worst findings, and what was not checked.

    Parameters
    ----------
    document : dict
        From `annqc.report.scorecard.document.make_document`.

    Returns
    -------
    str
        Whatever stands in names is shown as it is: it cannot become a link, a mention, HTML or a
        further column.
    """
    pages = document["pages"]
    counts = [
        f"{MARKS[name]} {WORDS[name]}: {count:,}"
        for name, count in document["counts"].items()
        if count
    ]
    lines = ["## annqc: vendor scorecard", "", " · ".join(counts), ""]
    names = [name for name in ("vendor", "batch") if name in document["told_by"]]
    titles = [*(names or ["delivery"]), "verdict", "images", "recall", "precision", "worst edge"]
    lines += [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += [f"| {' | '.join(_cells(card, names))} |" for card in pages[:MOST_PAGES]]
    if len(pages) > MOST_PAGES:
        lines += ["", f"and {number_of(len(pages) - MOST_PAGES, 'more page')}"]
    found = list(_findings(pages))
    lines += _list("Worst findings", found, MOST_FINDINGS, "more findings")
    said = [*document["notes"], *_unchecked(pages)]
    lines += _list("Not checked", said, MOST_UNCHECKED, "more, in `scorecard.json`")
    lines += ["", escaped(document["family"])]
    if document["fairness"]:
        lines += ["", escaped(document["fairness"])]
    return "\n".join(lines) + "\n"


def _cells(card: dict[str, Any], names: list[str]) -> list[str]:
    who = [escaped(_short(card[name])) for name in names] or ["everything"]
    verdict = f"{MARKS[card['verdict']]} {WORDS[card['verdict']]}"
    if card["more"]:
        verdict += f", {card['more']}"
    rates = [_rate(card["scores"][name]) for name in ("recall", "precision")]
    return [*who, verdict, f"{card['samples']['images_compared']:,}", *rates, _worst(card)]


def _rate(score: dict[str, Any]) -> str:
    ends = interval(score["ci_low"], score["ci_high"], 3)
    text = number(score["estimate"], 3)
    return f"{text} ({ends})" if ends and text != NONE else text


def _worst(card: dict[str, Any]) -> str:
    """Say the edge that is farthest off, in tolerances."""
    known = [one for one in card["edges"] if one["estimate"] is not None]
    if not known:
        return NONE
    edge = max(known, key=lambda one: abs(one["estimate"]))
    ends = interval(edge["ci_low_px"], edge["ci_high_px"])
    size = f"{edge['name']} {number(edge['estimate_px'], sign=True)} px"
    return f"{size} ({ends})" if ends else size


def _findings(pages: list[dict[str, Any]]) -> Iterator[str]:
    """Say why pages were refused; where none was, what is biased on them."""
    for card in pages:
        for one in card["checks"]:
            if one["outcome"] in {"fail", "error"} and not one["is_short"]:
                yield f"{card['name']}, {one['id']}: {one['sentence']}"
        if card["minds"]:
            yield f"{card['name']}: {' '.join(card['minds'])}"
    if any(card["checks"] for card in pages):
        return
    for card in pages:
        for one in card["annotators"]["told"]:
            if one["standing"] == "biased":
                yield from (f"{card['name']}: {text}" for text in one["text"])


def _unchecked(pages: list[dict[str, Any]]) -> list[str]:
    """Say what was not checked, once for all pages that say the same."""
    counts = Counter(text for card in pages for text in card["not_checked"])
    said = []
    for text, n in counts.items():
        if len(pages) == 1:
            said.append(text)
        elif n == len(pages):
            said.append(f"all pages: {text}")
        elif n > 1:
            said.append(f"{n:,} pages: {text}")
        else:
            name = next(card["name"] for card in pages if text in card["not_checked"])
            said.append(f"{name}: {text}")
    return sorted(said, key=lambda one: not one.startswith("all pages"))


def _list(title: str, texts: list[str], most: int, rest: str) -> list[str]:
    if not texts:
        return []
    shown = [f"- {escaped(_short(' '.join(one.split())))}" for one in texts[:most]]
    left = [f"- and {len(texts) - most:,} {rest}"] if len(texts) > most else []
    return ["", f"### {title}", "", *shown, *left]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
