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
NET: Final = ("net", "net_low", "net_high")
FARTHER: Final = ("farther out", "farther in")
OFF: Final = ("too far out", "too far in")
SHORT: Final = ("out", "in")
SAME: Final = 0.25
"""Pixels by which a change may differ from that on objects of the same size and still be it."""
BY_SITTING: Final = ("by_session", "sittings_differ")


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
    unit = "sitting" if row["status"] in BY_SITTING else clusters
    name, evidence = OBJECTS[edge], number_of(int(row["n_clusters"]), unit)
    if verdict == "not_tested":
        what = ASKED.get(question, "padding or scaling")
        if row["status"] == "like_sizes":
            return f"{name}: {what} cannot be told from the size of the objects ({evidence})"
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
        return _change(row, name, unit) + little
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
    """Return a size, its direction in words, and its interval.

    An interval with nothing in it says the direction of both ends.
    """
    value, low, high = (float(row[name]) for name in names)
    size, ends = amount(value, low, high, unit)
    if ends.startswith("-"):
        there, back = SHORT[value < 0], SHORT[value >= 0]
        against, _, along = ends[1:].partition(" to ")
        name = along.partition(" ")[2]
        ends = f"{against} {name} {back} to {along} {there}"
    return size, words[value < 0], ends


def _padding(row: Mapping[str, Any], name: str, side: str, evidence: str) -> str:
    """Say whether it is so many pixels or a share of the side."""
    if row["verdict"] == "NOT_SEPARABLE":
        return f"{name}: padding and scaling cannot be told apart on {evidence} of such sizes"
    px, share = (
        _told(scaled, names, unit, FARTHER)
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
        "ADDITIVE": f"padding on {name}: {pixels}, and scaling: {share[0].removesuffix(' %')} % of "
        f"the {side} {share[1]}, {besides} ({share[2]}",
        "PROPORTIONAL": f"scaling on {name}: {of_side}, and padding: {px[0]} {px[1]}, {besides} "
        f"({px[2]}",
        "BOTH": f"padding and scaling on {name}: {pixels} and {of_side[:-1]}",
    }
    chance = "" if row["p_adjusted"] <= 1 - row["confidence_level"] else CHANCE
    return f"{told[str(row['verdict'])]}, {evidence}){chance}"


def _change(row: Mapping[str, Any], name: str, unit: str) -> str:
    """Say since when, and what was before; or what changed on objects of the same size."""
    day = str(row["since"])[:10]
    place = f"{unit} {int(row['position']) + 1:,} of {int(row['n_clusters']):,}"
    since = f"since about {day} ({place}) {name} is"
    counts = [int(row[one]) for one in ("n_after", "n_before")]
    if abs(float(row["estimate"]) - float(row["second"]) - float(row["net"])) > SAME:
        size, where, ends = _told(row, NET, "px", FARTHER)
        both = f"{number_of(counts[0], unit)}, {counts[1]:,} before"
        return f"{since} {size} {where} than before on objects of the same size ({ends}, {both})"
    after, before = (_told(row, names, "px", OFF) for names in (FIRST, SECOND))
    stretches = [number_of(count, unit) for count in counts]
    return (
        f"{since} {after[0]} {after[1]} ({after[2]}, {stretches[0]}); "
        f"before, {before[0]} {before[1]} ({before[2]}, {stretches[1]})"
    )
