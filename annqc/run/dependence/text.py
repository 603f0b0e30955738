"""run: what an edge's offset depends on, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import OBJECTS, amount, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dependence_text"]

ASKED: Final = {
    "size": "size",
    "place": "place in the image",
    "session": "hours into a sitting",
    "change": "change over time",
}
LITTLE: Final = ", less than a tolerance over the work"
CHANCE: Final = ", no more than chance may give among so many edges"
FIRST: Final = ("estimate", "ci_low", "ci_high")
SECOND: Final = ("second", "second_low", "second_high")
FARTHER: Final = ("farther out", "farther in")
OFF: Final = ("too far out", "too far in")


def dependence_text(row: Mapping[str, Any], *, clusters: str = "image") -> str:
    """Say one row of `annqc.Audit.dependence`, without who it is about.

    Parameters
    ----------
    row : mapping of str to object
        The row.
    clusters : str
        What evidence is counted in.

    Returns
    -------
    str
        A sentence without a full stop, in small letters.
    """
    edge, question, verdict = (str(row[one]) for one in ("quantity", "question", "verdict"))
    name, evidence = OBJECTS[edge], number_of(int(row["n_clusters"]), clusters)
    if verdict == "not_tested":
        what = ASKED.get(question, "padding or scaling")
        return f"{name}: {what} was not tested ({row['status'].replace('_', ' ')}, {evidence})"
    if question == "padding":
        return _padding(
            row, name, "height" if edge in {"out_top", "out_bottom"} else "width", evidence
        )
    if verdict == "not_found":
        on = ASKED[question]
        what = f"no {on}" if question == "change" else f"no dependence on {on}"
        return f"{name}: {what} was found ({evidence})"
    little = LITTLE if verdict == "measurable" else ""
    if question == "change":
        return _change(row, name, clusters) + little
    if question == "size":
        side = "height" if edge in {"out_top", "out_bottom"} else "width"
        size, where, ends = _told(row, FIRST, "", FARTHER)
        every = f"with every doubling of the {side}"
        return f"{name} is {size} {where} {every} ({ends}, {evidence}){little}"
    size, where, ends = _told(row, FIRST, "px", FARTHER)
    if question == "session":
        return f"{name} is {size} {where} with every hour of a sitting ({ends}, {evidence}){little}"
    down = _told(row, SECOND, "px", FARTHER)
    return (
        f"{name} goes with the place in the image, by {row['reach']:.1f} tolerances over it: "
        f"{size} {where} at the right border than at the left ({ends}), {down[0]} {down[1]} at the "
        f"bottom than at the top ({down[2]}, {evidence}){little}"
    )


def _told(
    row: Mapping[str, Any], names: tuple[str, ...], unit: str, words: tuple[str, str]
) -> tuple[str, str, str]:
    """Return a size, its direction in words, and its interval."""
    value, low, high = (float(row[name]) for name in names)
    size, ends = amount(value, low, high, unit)
    return size, words[value < 0], ends


def _padding(row: Mapping[str, Any], name: str, side: str, evidence: str) -> str:
    """Say whether it is so many pixels or a share of the side."""
    if row["verdict"] == "NOT_SEPARABLE":
        return f"{name}: padding and scaling cannot be told apart on {evidence} of such sizes"
    px, share = (
        _told(scaled, names, unit, OFF)
        for scaled, names, unit in (
            (row, FIRST, "px"),
            ({one: row[one] / 100 for one in SECOND}, SECOND, "rel"),
        )
    )
    pixels = f"{px[0]} {px[1]} at any size ({px[2]})"
    of_side = f"{share[0].removesuffix(' %')} % of the {side} {share[1]} ({share[2]})"
    if row["verdict"] == "UNRESOLVED":
        return f"{name}: neither padding nor scaling was found ({pixels}; {of_side}; {evidence})"
    besides = "which may be nothing"
    told = {
        "ADDITIVE": f"padding: {pixels}, and {share[0].removesuffix(' %')} % of the {side} "
        f"{share[1]}, {besides} ({share[2]}",
        "PROPORTIONAL": f"scaling: {of_side}, and {px[0]} {px[1]}, {besides} ({px[2]}",
        "BOTH": f"padding and scaling: {pixels} and {of_side[:-1]}",
    }
    chance = "" if row["p_adjusted"] <= 1 - row["confidence_level"] else CHANCE
    return f"{name} is off by {told[str(row['verdict'])]}, {evidence}){chance}"


def _change(row: Mapping[str, Any], name: str, clusters: str) -> str:
    """Say since when, and what was before."""
    after = _told(row, FIRST, "px", OFF)
    before = _told(row, SECOND, "px", OFF)
    day = str(row["since"])[:10]
    unit = "sitting" if row["status"] == "by_session" else clusters
    place = f"{unit} {int(row['position']) + 1:,} of {int(row['n_clusters']):,}"
    images = [number_of(int(row[one]), clusters) for one in ("n_after", "n_before")]
    return (
        f"since about {day} ({place}) {name} is {after[0]} {after[1]} "
        f"({after[2]}, {images[0]}); before, {before[0]} {before[1]} ({before[2]}, {images[1]})"
    )
