"""report: what the first page and the page of problems and method show."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.read.problems import KINDS
from annqc.report.checks.record import limit_words, make_record
from annqc.report.compared import compared, ignored_words, left_out, meeting, notes
from annqc.report.html.person import findings_table, standings_of
from annqc.report.html.pictures import bias_map, error_bars
from annqc.report.html.ranks import rank_range, ranks
from annqc.report.html.story import OUTLINES, OVER_TIME
from annqc.report.html.texts import QUALIFIED, WORDS, flag_text, kind_text, number, share
from annqc.report.plain import clean_text
from annqc.report.standing import STANDINGS
from annqc.run.findings import FLAGS, STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.judge import Judgement
    from annqc.report.checks.record import Record
    from annqc.report.html.category import Categories
    from annqc.report.html.gallery import Gallery
    from annqc.report.html.person import People
    from annqc.report.html.story import Person, Story

__all__ = ["check_records", "method", "overview", "told_rows"]

N_SENTENCES: Final = 20
N_NAMED: Final = 12
ANCHORS: Final = {OVER_TIME: "over-time", OUTLINES: "outlines"}
"""Where the page of a person has what."""
N_CATEGORIES: Final = 60
N_ROWS: Final = 12
N_PROBLEMS: Final = 25
SCORES: Final = (
    ("recall", "recall"),
    ("precision", "precision"),
    ("label_accuracy", "labels"),
    ("mean_iou", "mean IoU"),
)


def overview(story: Story, people: People, categories: Categories) -> dict[str, Any]:
    """Return what the template of the first page is filled with.

    Parameters
    ----------
    story : Story
        The audit.
    people : People
        Makes the pages of its people.
    categories : Categories
        Makes the pages of its categories.
    """
    told = [(person, one) for person in story.people for one in person.sentences]
    n_ranked = sum(map(_has_rank, story.people))
    counts = dict(people.counted(np.arange(len(people.kinds))))
    return {
        "facts": _facts(story),
        "minds": _minds(story),
        "confidence": f"{100 * story.run.parameters.confidence:g} %",
        "qualified": QUALIFIED,
        "counts": [(place, story.counts[place], text) for place, text in STANDINGS.items()],
        "elsewhere": _elsewhere(story),
        "lowest": story.rates.lowest(),
        "track_remarks": story.remarks[OVER_TIME],
        "outline_remarks": story.remarks[OUTLINES][:N_NAMED],
        "outline_left": len(story.remarks[OUTLINES]) - N_NAMED,
        "told": told[:N_SENTENCES],
        "left": len(told) - N_SENTENCES,
        "map": bias_map(story),
        "findings": [(person, findings_table(story.view, person.group)) for person in story.people],
        "ranks": ranks(story),
        "people": [_row(story, one, people.gallery, n_ranked) for one in story.people],
        "score_titles": [title for _, title in SCORES],
        "kinds": _errors(story, people),
        "bars": error_bars(counts) if counts else None,
        "first": people.gallery.first,
        "reviews": people.reviews,
        "categories": [categories.row(name) for name in categories.names[:N_CATEGORIES]],
        "spread": categories.by_person is not None,
        "n_categories": len(categories.names),
        "n_pages": len(categories.pages),
        "checks": [_check(k, one, veiled=story.veiled) for k, one in enumerate(story.checks, 1)],
        **people.sections.overview(),
    }


def method(story: Story, gallery: Gallery) -> dict[str, Any]:
    """Return what the template of problems and method is filled with.

    Parameters
    ----------
    story : Story
        The audit.
    gallery : Gallery
        Single annotations, and the images that could not be shown.
    """
    run = story.run
    grouped: dict[tuple[str, str], list[Any]] = {}
    for one in run.issues:
        grouped.setdefault((one.severity, one.kind), []).append(one)
    kinds = [
        {
            "severity": severity,
            "kind": kind,
            "n": len(found),
            "explanation": KINDS[kind].explanation if kind in KINDS else "",
            "items": [] if story.veiled else [_problem(one) for one in found[:N_PROBLEMS]],
        }
        for (severity, kind), found in sorted(
            grouped.items(), key=lambda pair: (pair[0][0], -len(pair[1]))
        )
    ]
    sides = [(story.view.side, run.reference), ("work", run.candidate)]
    return {
        "facts": _facts(story),
        "minds": _minds(story),
        "kinds": kinds,
        "sources": [
            {
                "side": side,
                "path": f"file {k}" if story.veiled else clean_text(one.path),
                "format": one.format,
                "n_rows": one.n_rows,
                "sha256": "" if story.veiled else one.sha256 or "",
            }
            for side, data in sides
            for k, one in enumerate(data.sources, start=1)
        ],
        "images": gallery.troubles() if gallery.with_crops else None,
        "shots": gallery.counts(),
        "standings": [(place, text) for place, text in STANDINGS.items()],
        "flags": [(flag_text(flag), text) for flag, text in FLAGS.items()],
        "statuses": list(STATUSES.items()),
    }


def check_records(judgement: Judgement, given: dict[str, str] | None) -> list[Record]:
    """Turn checks into plain values; people go by other names where there are pseudonyms.

    Parameters
    ----------
    judgement : Judgement
        From `annqc.Audit.judge`.
    given : dict of str to str, optional
        From `annqc.report.html.names.pseudonyms`.
    """
    records = []
    for check in judgement.checks:
        rows, n_few = told_rows(check.rows)
        record = make_record(check, spec=judgement.spec)
        records.append({**record, "rows": rows, "n_rows": len(rows) + n_few, "n_few": n_few})
    for row in (row for record in records for row in record["rows"]):
        if given is not None and "annotator" in row["group"]:
            who = str(row["group"]["annotator"])
            row["group"] = {**row["group"], "annotator": given.get(who, who)}
    return records


def told_rows(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Pick the groups of a check that are worth a line: not those of whom one image tells nothing.

    Parameters
    ----------
    rows : sequence of dict
        Groups of a check: failing, undecided, passing, of each the farthest from the limit first.

    Returns
    -------
    list of dict
        Those that fail, then those with five images (tracks) or more, in the same order; offsets,
        which are ranked in tolerances, say how many these are.
    int
        How many others there are.

    Examples
    --------
    >>> rows = [{"outcome": "undecided", "text": name, "n_clusters": n}
    ...         for name, n in (("ann", 1), ("bob", 9))]
    >>> told, left = told_rows(rows)
    >>> [row["text"] for row in told], left
    (['bob'], 1)
    """
    told = [
        row
        for row in rows
        if row["outcome"] == "fail" or row.get("n_clusters") is None or row["n_clusters"] >= G_MIN
    ]
    n_few = len(rows) - len(told)
    return [{**row, "text": f"{row['text']}{_in_tolerances(row)}"} for row in told], n_few


def _in_tolerances(row: dict[str, Any]) -> str:
    if row.get("estimate_px") is None or row.get("estimate") is None:
        return ""
    return f"; {abs(row['estimate']):.1f} tolerances"


def _facts(story: Story) -> list[tuple[str, str]]:
    c, rules = compared(story.run), story.run.parameters
    boxes = number_of(c.n_candidate, "box", "boxes")
    who = number_of(c.n_annotators, "annotator") if story.named else "nobody told apart"
    categories = number_of(c.n_categories, "category", "categories")
    of = "a consensus of the others" if c.consensus else "gold"
    reference = f"{c.n_reference:,} of {of}{ignored_words(c)}"
    how = f"matching {rules.policy.method} at IoU {rules.policy.counting_iou:g}"
    facts = [
        (
            "Compared",
            f"{boxes} with {reference}, on {number_of(c.n_images, 'image')}",
        ),
        ("Who", f"{who}, {categories}"),
        ("Tolerance", str(rules.tolerance)),
        ("Confidence", f"{100 * rules.confidence:g} %; {how}"),
    ]
    if c.dropped:
        facts.append(("Unusable", f"{number_of(sum(c.dropped.values()), 'row')}, listed"))
    if c.kept:
        facts.append(("Odd", f"{number_of(sum(c.kept.values()), 'row')} kept, listed"))
    if left := left_out(c):
        facts.append(("Left out", "; ".join(left)))
    return facts


def _minds(story: Story) -> list[str]:
    """Say what to mind; of the two sides' meeting only where it may name people."""
    met = [] if story.veiled else meeting(story.run)
    said = [*met, *notes(compared(story.run), story.view.by or ("annotator",))]
    return [clean_text(one) for one in said]


def _elsewhere(story: Story) -> list[dict[str, Any]]:
    """Say what the tally on edges leaves out: who is biased over time, or on outlines."""
    found = []
    for what in story.remarks:
        judged = [one for one in story.people if what in one.habits]
        if judged:
            biased = [one for one in judged if one.habits[what].verdict == "biased"]
            counted = Counter(one.habits[what].verdict for one in judged)
            rest = [f"{counted[one]:,} {WORDS.get(one, one)}" for one in STANDINGS if counted[one]]
            found.append(
                {
                    "what": what,
                    "place": ANCHORS[what],
                    "biased": biased[:N_NAMED],
                    "n_biased": len(biased),
                    "n": len(judged),
                    "others": [one for one in rest if not one.endswith(" biased")],
                }
            )
    return found


def _errors(story: Story, people: People) -> list[dict[str, Any]]:
    """Count errors by kind, with what they are out of, and who has most of them."""
    totals = {
        what: sum(int(one.score[column]) for one in story.people)
        for what, column in (("objects", "n_reference"), ("boxes", "n_drawn"))
    }
    n_pairs = len(story.run.matches.matched_candidate)
    out_of = {
        "missed": f"{totals['objects']:,} objects asked",
        "far": f"{totals['objects']:,} objects asked",
        "spurious": f"{totals['boxes']:,} boxes drawn",
        "duplicate": f"{totals['boxes']:,} boxes drawn",
        "mislabelled": f"{n_pairs:,} pairs",
        "loose_box": f"{n_pairs:,} pairs",
    }
    found = []
    for kind, n in Counter(people.kinds.tolist()).most_common():
        row: dict[str, Any] = {"kind": kind_text(kind), "n": n, "of": out_of.get(kind, "")}
        if story.named:
            code, most = Counter(people.error_of[people.kinds == kind].tolist()).most_common(1)[0]
            row |= {"person": story.of_code.get(code), "most": most}
        found.append(row)
    return found


def _has_rank(person: Person) -> bool:
    rank = person.score.get("rank")
    return rank is not None and math.isfinite(rank)


def _row(story: Story, person: Person, gallery: Gallery, n_ranked: int) -> dict[str, Any]:
    score = person.score
    cells = []
    for name, _ in SCORES:
        text, ends = share(score[name], score[f"{name}_low"], score[f"{name}_high"])
        n = int(score[f"{name}_n_clusters"])
        cells.append({"text": text, "interval": ends, "sort": _key(score[name]), "n_clusters": n})
    rank, worst = score.get("rank"), score.get("worst_edge")
    is_ranked = _has_rank(person) and n_ranked > 1
    return {
        "person": person,
        "standings": [
            one for k, one in enumerate(standings_of(person)) if k == 0 or one[1] == "biased"
        ],
        "low": [title for name, title in SCORES if name in story.rates.low(person)],
        "rank": number(rank, 0) if is_ranked else number(None),
        "range": rank_range(person) if is_ranked else "",
        "rank_key": _key(rank),
        "worst": number(worst),
        "worst_key": _key(worst),
        "shown": gallery.farthest(person),
        "n_images": int(score["n_images"]),
        "n_drawn": int(score["n_drawn"]),
        "cells": cells,
    }


def _key(value: float | None) -> str:
    """Return what a cell is sorted by; empty sorts last."""
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _check(order: int, record: Record, *, veiled: bool) -> dict[str, Any]:
    rows = record["rows"][:N_ROWS]
    texts = []
    for row in rows:
        if veiled:
            group = ", ".join(clean_text(value) for value in row["group"].values()) or "everything"
            texts.append((row["outcome"], f"{group} {row.get('quantity') or ''}".strip()))
        else:
            texts.append((row["outcome"], clean_text(row["text"])))
    sentence = "" if veiled else record["sentence"]
    return {
        "id": f"check {order}" if veiled else record["id"],
        "outcome": record["outcome"],
        "word": record["outcome"].replace("_", " "),
        "summary": record["summary"],
        "limit": limit_words(record),
        "sentence": sentence,
        "rows": texts,
        "left": record["n_rows"] - record["n_few"] - len(rows),
        "few": number_of(record["n_few"], "more group") if record["n_few"] else "",
        "least": G_MIN,
    }


def _problem(one: Any) -> dict[str, str]:
    return {
        "where": clean_text(f"{one.source}, {one.where}" if one.source else one.where),
        "message": clean_text(one.message),
    }
