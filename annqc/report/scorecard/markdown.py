"""report: a scorecard as Markdown, short enough for a comment on a merge request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import number_of
from annqc.report.checks.markdown import escaped
from annqc.report.html.texts import NONE
from annqc.report.plain import clean_text
from annqc.report.scorecard.cells import edge_cells, rests_on, score_cells, worst_edge
from annqc.report.scorecard.pages import input_words
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
ORDER: Final = ("refused", "error", "undecided", "not_checked", "accepted", "no_rule")
"""What must not be cut off comes first."""
RATES: Final = {"recall": "recall", "precision": "precision", "mean_iou": "mean IoU"}
MOST_NAMED: Final = 3
MOST_PAGES: Final = 100
MOST_FINDINGS: Final = 10
MOST_UNCHECKED: Final = 10
MOST_CHANGES: Final = 10
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
    one, many = document["noun"]
    counts = [
        f"{MARKS[name]} {WORDS[name]}: {count:,}"
        for name, count in document["counts"].items()
        if count
    ]
    lines = ["## annqc: vendor scorecard", "", " · ".join(counts), ""]
    lines += [f"{escaped(_sentence(one))}  " for one in document["alike"]]
    lines += [""] if document["alike"] else []
    lines += [*_by_what(document), ""]
    names = [name for name in ("vendor", "batch") if name in document["told_by"]]
    titles = [*(names or ["delivery"]), "verdict", "why", "images", *RATES.values(), "worst edge"]
    lines += [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    ordered = sorted(pages, key=lambda card: ORDER.index(card["verdict"]))
    lines += [f"| {' | '.join(_cells(card, names))} |" for card in ordered[:MOST_PAGES]]
    if len(pages) > MOST_PAGES:
        rest = number_of(len(pages) - MOST_PAGES, f"more {one}", f"more {many}")
        lines += ["", f"and {rest}, in `index.html`"]
    found = list(_findings(ordered))
    lines += _list("Worst findings", found, MOST_FINDINGS, "more findings")
    changes = [one["text"] for one in document["changes"]]
    title = "Changes over time, which no rule asks for"
    lines += _list(title, changes, MOST_CHANGES, "more, in `scorecard.json`")
    said = [*document["notes"], *_unchecked(pages, many)]
    lines += _list("Not checked", said, MOST_UNCHECKED, "more, in `scorecard.json`")
    lines += ["", escaped(document["family"])]
    if document["fairness"]:
        lines += ["", escaped(document["fairness"])]
    return "\n".join(lines) + "\n"


def _by_what(document: dict[str, Any]) -> list[str]:
    """Say of which day and which files this is, and a line each by which rules."""
    used = document["parameters"]
    files = f"{document['created'][:10]}. Compared: {input_words(document)}."
    said = [escaped(f"{files} Tolerance of the findings: {used['tolerance']}."), ""]
    if document["spec"] is None:
        return [*said, "There were no rules."]
    said.append(escaped(f"Rules of {document['spec']}:"))
    said += ["", *(f"- {escaped(_rule(one))}" for one in document["rules"])]
    if document["rules_not_applied"]:
        said += ["", escaped(f"Not applied: {', '.join(document['rules_not_applied'])}.")]
    return said


def _rule(one: dict[str, str]) -> str:
    """Say a rule once, where its name is what it asks."""
    name = one["id"].replace("-", " ").replace("_", " ")
    return one["asked"] if one["asked"].lower().startswith(name) else f"{one['id']}: {one['asked']}"


def _sentence(text: str) -> str:
    return f"{text}."


def _cells(card: dict[str, Any], names: list[str]) -> list[str]:
    who = [escaped(_short(card[name])) for name in names] or ["everything"]
    verdict = f"{MARKS[card['verdict']]} {WORDS[card['verdict']]}"
    images = f"{card['samples']['images_compared']:,}"
    rates = [_rate(card["scores"][name], card["evidence"]) for name in RATES]
    return [*who, verdict, escaped(_short(card["why"])), images, *rates, _worst(card)]


def _rate(score: dict[str, Any], thing: str) -> str:
    text, ends, _, _ = score_cells(score)
    basis = rests_on(score["n_clusters"], thing)
    return f"{text} ({ends}; {basis})" if ends and text != NONE else text


def _worst(card: dict[str, Any]) -> str:
    """Say the edge that is farthest off, in tolerances."""
    worst = worst_edge(card)
    if worst is None:
        return NONE
    edge = edge_cells(worst)
    size = f"{edge['name']} {edge['px']} px"
    ends = edge["px_interval"]
    basis = rests_on(worst["n_clusters"], card["evidence"])
    return f"{size} ({ends}; {basis})" if ends else size


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
    told = set()
    for card in pages:
        for one in card["annotators"]["told"]:
            if one["standing"] == "biased" and one["annotator"] not in told:
                told.add(one["annotator"])
                yield from (f"{card['name']}: {text}" for text in one["text"])


def _unchecked(pages: list[dict[str, Any]], many: str) -> list[str]:
    """Say what was not checked, once for all pages that say the same."""
    whose: dict[str, list[str]] = {}
    for card in pages:
        for text in card["not_checked"]:
            whose.setdefault(text, []).append(card["name"])
    said = []
    for text, names in whose.items():
        if len(pages) == 1:
            said.append(text)
        elif len(names) == len(pages):
            said.append(f"All {many}: {text}")
        else:
            few = ", ".join(clean_text(name, width=40) for name in names[:MOST_NAMED])
            rest = len(names) - MOST_NAMED
            said.append(f"{few}{f' and {rest:,} more' if rest > 0 else ''}: {text}")
    return sorted(said, key=lambda one: not one.startswith(f"All {many}"))


def _list(title: str, texts: list[str], most: int, rest: str) -> list[str]:
    if not texts:
        return []
    shown = [f"- {escaped(_short(' '.join(one.split())))}" for one in texts[:most]]
    left = [f"- and {len(texts) - most:,} {rest}"] if len(texts) > most else []
    return ["", f"### {title}", "", *shown, *left]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
