"""report: the section on outlines: whose are dilated or eroded, and how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from rich.cells import cell_len, set_cell_size

from annqc.infer.verdicts import BIASED, CLEAN, COLLECTIVE, UNDECIDED, VERDICTS, half_width
from annqc.judge.wording import amount, join_words, number_of
from annqc.measure.outlines import CONTOURS
from annqc.report.plain import clean_text
from annqc.report.view import kind_of_clusters
from annqc.run.outline_columns import contours_sensitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.audit import Run
    from annqc.run.outlines import Outlines
    from annqc.tables import Array, Bools, Dataset

__all__ = [
    "ANONYMOUS",
    "Section",
    "contour_sentences",
    "nobody_named",
    "outline_lines",
    "outline_verdicts",
    "style_sentences",
    "within_sentences",
]

ANONYMOUS: Final = (
    "the data do not say who drew what, so this is said of all of the work, and of no annotator"
)

SIDES: Final = ("left", "top", "right", "bottom")
WHOLE: Final = CONTOURS.index("contour")
ALIKE: Final = 0.5
"""Sides are moved alike where the least is at least this share of the largest."""

LONGEST: Final = 21
FEW_OUTLINES: Final = "too few of the outlines could be paired to be sure"
WORTH_TELLING: Final = 0.25
"""From this share of the tolerance on, what is measurable within it is told."""
OFTEN: Final = 0.1
"""From this share of the outlines on, how they were drawn is told."""
CHORD_PX: Final = 0.5
"""From so many pixels on, what straight segments do to the contour is told."""

STYLE_WORDS: Final = {
    "copied": "are copies of the gold's",
    "few_points": "have few points where the gold has many",
    "staircase": "follow the pixels of a mask",
    "simplified": "cut corners between points far apart",
    "holes_filled": "fill holes where the gold has some",
    "holes_opened": "have holes where the gold has none",
}
"""How outlines were drawn, by `annqc.measure.outline_styles.STYLES`."""


def outline_verdicts(found: Outlines) -> Array:
    """Judge the outlines of each group as a whole.

    Parameters
    ----------
    found : Outlines
        From `annqc.run.outlines.find_outlines`, without strata.

    Returns
    -------
    (n_groups,) int64
        Codes into `annqc.infer.verdicts.VERDICTS`. Biased: accused on the contour or on a side.
        Clean: all four sides and the whole are. Collective: nothing is undecided, and something is
        off as everybody's is. Else undecided.
    """
    codes = found.decisions.verdict
    verdict = np.full(found.n, UNDECIDED)
    settled = (codes != UNDECIDED).all(axis=1)
    verdict[settled & (codes == COLLECTIVE).any(axis=1)] = COLLECTIVE
    verdict[(codes == CLEAN).all(axis=1)] = CLEAN
    verdict[found.accusation.accused] = BIASED
    return verdict


def contour_sentences(
    found: Outlines,
    groups: Bools | None = None,
    *,
    clusters: str = "image",
    named: bool = True,
) -> list[tuple[int, str]]:
    """Say who is dilated or eroded, and on which side, the worst first.

    Parameters
    ----------
    found : Outlines
        Findings.
    groups : (n_groups,) bool, optional
        Groups to speak of; all of them if not given.
    clusters : str
        What evidence is counted in.
    named : bool
        Whether the sentence says who it is about.

    Returns
    -------
    list of (int, str)
        Group, and what is said of it.
    """
    px, main = found.located["px"], found.located["tolerance"]
    half = half_width(px.se, px.df, found.confidence)
    biased = found.decisions.verdict == BIASED
    if groups is not None:
        biased = biased & groups[:, None]
    sensitive = contours_sensitive(found)
    weight = np.where(biased, np.abs(main.estimate), 0.0).max(axis=1, initial=0.0)
    said = []
    for group in np.argsort(-weight, kind="stable").tolist():
        if not biased[group].any():
            continue
        parts = []
        told = _told(biased[group], px.estimate[group])
        for k in told:
            value, wide = float(px.estimate[group, k]), float(half[group, k])
            size, interval = amount(value, value - wide, value + wide, "px")
            what = "the contour" if k == WHOLE else f"the {SIDES[k]} side"
            way = "far out" if value > 0 else "far in"
            parts.append(f"{what} {size} too {way} ({interval})")
        n = number_of(int(main.n_clusters[group, told].min()), clusters)
        text = f"{_name(found, group)}: " * named + f"{join_words(parts)}, {n}"
        if sensitive[group, told].any():
            text += f"; {FEW_OUTLINES}"
        said.append((group, text))
    return said


def within_sentences(
    found: Outlines, verdicts: Array, *, clusters: str = "image", named: bool = True
) -> list[tuple[int, str]]:
    """Say whose contours are measurably off and yet within tolerance, the farthest first.

    Parameters
    ----------
    found : Outlines
        Findings.
    verdicts : (n_groups,) int64
        From `outline_verdicts`.
    clusters : str
        What evidence is counted in.
    named : bool
        Whether the sentence says who it is about.

    Returns
    -------
    list of (int, str)
        Group, and what is said of it: of the contour as a whole, else of the side that is farthest
        off. Groups that are biased have none.
    """
    px, main = found.located["px"], found.located["tolerance"]
    half = half_width(px.se, px.df, found.confidence)
    measurable = found.decisions.measurable & (verdicts != BIASED)[:, None]
    measurable &= np.abs(main.estimate) >= WORTH_TELLING
    off = np.where(measurable, np.abs(main.estimate), -1.0)
    said = []
    for group in np.argsort(-off.max(axis=1, initial=-1.0), kind="stable").tolist():
        if not measurable[group].any():
            continue
        k = WHOLE if measurable[group, WHOLE] else int(off[group].argmax())
        value, wide = float(px.estimate[group, k]), float(half[group, k])
        size, interval = amount(value, value - wide, value + wide, "px")
        what = "the contour" if k == WHOLE else f"the {SIDES[k]} side"
        n = number_of(int(main.n_clusters[group, k]), clusters)
        where = f"{what} lies {size} {'out' if value > 0 else 'in'} ({interval}, {n})"
        who = f"{_name(found, group)}: " * named
        said.append((group, f"{who}{where}, measurable but within tolerance"))
    return said


def style_sentences(scores: dict[str, Array], names: Sequence[str]) -> list[str]:
    """Say whose outlines were drawn in a way that is worth a look, in the order of the groups.

    Parameters
    ----------
    scores : dict of str to (n_groups,) array
        From `annqc.run.outline_scores.outline_score_columns`, with how outlines were drawn.
    names : sequence of str
        What each group is called.

    Returns
    -------
    list of str
        Of shares, those of a tenth and more; of chords, what is half a pixel and more, with the
        interval clear of zero. Nothing of it is a verdict.
    """
    said = []
    for group, name in enumerate(names):
        parts = [
            f"{100 * scores[style][group]:.0f} % {words}"
            for style, words in STYLE_WORDS.items()
            if scores[style][group] >= OFTEN
        ]
        low, high = scores["chord_px_low"][group], scores["chord_px_high"][group]
        chord = scores["chord_px"][group]
        if abs(chord) >= CHORD_PX and low * high > 0:
            way = "in" if chord < 0 else "out"
            parts.append(f"straight segments put the contour {abs(chord):.1f} px {way}")
        if parts:
            said.append(f"{name}: {join_words(parts)}")
    return said


class Section(NamedTuple):
    """The section in words.

    Attributes
    ----------
    note : str
        What stands beside the heading.
    sentences : list of str
        Who is dilated or eroded.
    remarks : list of str
        What is no finding: who is off within tolerance, and how outlines were drawn.
    table : list of str
        Titles, and a line an annotator.
    n_left : int
        Annotators that are not in the table.
    """

    note: str
    sentences: list[str]
    remarks: list[str]
    table: list[str]
    n_left: int


def outline_lines(run: Run, *, most: int, by: Sequence[str] = ("annotator",)) -> Section:
    """Lay out the section on outlines.

    Parameters
    ----------
    run : Run
        The comparison, with outlines on both sides.
    most : int
        Annotators at most.
    by : sequence of str
        Grouping of the findings. Annotators are judged on the whole with their parts, and those who
        are accused of a part alone have that part named.

    Returns
    -------
    Section
    """
    anonymous = nobody_named(run.candidate)
    whole = () if anonymous else ("annotator",)
    in_parts = not anonymous and "annotator" in by and len(by) > 1
    parts = run.outline_findings(tuple(by)) if in_parts else None
    found = (parts and parts.pooled) or run.outline_findings(whole)
    scores = run.outline_score_columns(whole)
    verdicts = outline_verdicts(found)
    order = _order(found, verdicts)[:most]
    px = found.located["px"]
    half = half_width(px.se, px.df, found.confidence)
    columns: list[tuple[str, list[str], bool]] = [
        ("all of the work" if anonymous else "annotator", [_name(found, k) for k in order], False),
        ("outlines", [f"{scores['n_outlines'][k]:,}" for k in order], True),
        (
            "contour in px",
            [_signed(float(px.estimate[k, WHOLE]), float(half[k, WHOLE])) for k in order],
            False,
        ),
        ("verdict", [VERDICTS[verdicts[k]] for k in order], False),
        ("IoU", [_share(float(scores["mask_iou"][k])) for k in order], True),
        ("boundary", [_share(float(scores["boundary_iou"][k])) for k in order], True),
    ]
    n_biased = int((verdicts == BIASED).sum())
    who = "the work" if anonymous else number_of(found.n, "annotator")
    note = f"{n_biased:,} of {who} dilated or eroded" if n_biased else f"{who}: nobody biased"
    if anonymous:
        note = ANONYMOUS
    clusters = kind_of_clusters(run)
    said = [text for _, text in contour_sentences(found, clusters=clusters)]
    if parts is not None:
        silent = verdicts == BIASED
        silent &= ~(found.decisions.verdict == BIASED).any(axis=1)
        names = found.keys["annotator"][silent].tolist()
        inside = np.array([one in names for one in parts.keys["annotator"].tolist()], dtype=bool)
        said += [text for _, text in contour_sentences(parts, inside, clusters=clusters)]
    remarks = [text for _, text in within_sentences(found, verdicts, clusters=clusters)]
    remarks += style_sentences(scores, [_name(found, k) for k in range(found.n)])
    return Section(note, said, remarks, _table(columns), found.n - len(order))


def nobody_named(data: Dataset) -> bool:
    """Whether the annotators are nobody in particular.

    Work of one file that does not say who drew it counts as one annotator's, in every section.

    Parameters
    ----------
    data : Dataset
        The work.
    """
    return data.anonymous


def _told(biased: Bools, value: Array) -> list[int]:
    """Choose what to tell of one group: the contour where all sides are alike, else the sides."""
    sides = [k for k in range(len(SIDES)) if biased[k]]
    size = np.sign(value[WHOLE]) * value[: len(SIDES)]
    alike = bool(np.nanmin(size) >= ALIKE * np.nanmax(size)) if np.isfinite(size).any() else False
    return [WHOLE] if biased[WHOLE] and (alike or not sides) else sides


def _order(found: Outlines, verdicts: Array) -> list[int]:
    """Those who are biased first, then by how far the contour is off."""
    off = np.nan_to_num(np.abs(found.located["tolerance"].estimate[:, WHOLE]), nan=-1.0)
    rows: list[int] = np.lexsort((np.arange(found.n), -off, verdicts != BIASED)).tolist()
    return rows


def _name(found: Outlines, group: int) -> str:
    if not found.by:
        return "everything"
    return clean_text(", ".join(str(found.keys[name][group]) for name in found.by), width=LONGEST)


def _signed(value: float, half: float) -> str:
    if np.isnan(value):
        return "-"
    if np.isnan(half):
        return f"{value:+.2f}"
    return f"{value:+.2f} ({value - half:+.2f}, {value + half:+.2f})"


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _table(columns: list[tuple[str, list[str], bool]]) -> list[str]:
    """Set columns side by side, as wide as each needs."""
    made = []
    for title, cells, right in columns:
        widest = max(cell_len(one) for one in (title, *cells))
        made.append(
            [
                " " * (widest - cell_len(one)) + one if right else set_cell_size(one, widest)
                for one in (title, *cells)
            ]
        )
    return ["  " + " ".join(row).rstrip() for row in zip(*made, strict=True)]
