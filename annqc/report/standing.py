"""report: where each annotator stands, and what would settle those who are undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import on_the_line
from annqc.report.plain import clean_text, name_text
from annqc.report.view import clusters_word
from annqc.report.words import EDGE_NAMES, SENSITIVE
from annqc.run.anonymous import STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.view import View

__all__ = [
    "FEW_OBJECTS",
    "STANDINGS",
    "TOO_FEW",
    "Standing",
    "display_name",
    "edges_text",
    "settle_text",
    "standings",
]

Place = Literal["biased", "collective", "undecided", "clean", "too_few"]

STANDINGS: Final[dict[Place, str]] = {
    "biased": "accused, on the whole work or on a part of it",
    "collective": "off as everybody is, and nothing beyond",
    "undecided": "an edge is neither biased nor shown to be within tolerance",
    "clean": "not accused, and all four edges are shown to be within tolerance",
    "too_few": f"no edge was seen on {G_MIN} images or tracks",
}
"""What each standing means."""

TOO_FEW: Final = ("no_data", "one_cluster", "too_few_clusters")
FEW_OBJECTS: Final = "too few of the objects were measured to be sure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one group stands.

    Attributes
    ----------
    group : int
        Row of the `View`.
    place : str
        One of `STANDINGS`.
    n_clusters, least_clusters : int
        Images (or tracks) that were compared, by the edge with the most and with the fewest.
    n_more : float
        Further ones that would settle every undecided edge; NaN where none are needed or none would
        do.
    open_edges : tuple of int
        Undecided edges, by position in `annqc.tables.EDGES`.
    stuck_edges : tuple of int
        Those of them that no reasonable number would settle.
    sensitive : bool
        Whether what could not be measured might change what is said of an edge.
    """

    group: int
    place: Place
    n_clusters: int
    least_clusters: int
    n_more: float
    open_edges: tuple[int, ...]
    stuck_edges: tuple[int, ...]
    sensitive: bool


def standings(view: View) -> list[Standing]:
    """Say of every group where it stands.

    Parameters
    ----------
    view : View
        Findings.

    Returns
    -------
    list of Standing
        In the order of the groups.
    """
    verdict, status = view.columns["verdict"][:, :4], view.columns["status"][:, :4]
    more = view.columns["n_more"][:, :4]
    open_ = verdict == "undecided"
    too_few = np.isin(status, TOO_FEW)
    stuck = open_ & np.isnan(more) & ~too_few
    flags = view.columns["flags"][:, :4]
    found = []
    for group in range(len(view)):
        place: Place = "undecided"
        if view.off[group]:
            place = "biased"
        elif too_few[group].all():
            place = "too_few"
        elif not open_[group].any():
            place = "collective" if (verdict[group] == "collective").any() else "clean"
        needed = more[group][open_[group] & np.isfinite(more[group])]
        found.append(
            Standing(
                group=group,
                place=place,
                n_clusters=int(view.n_clusters[group]),
                least_clusters=int(view.least_clusters[group]),
                n_more=float(needed.max()) if len(needed) else float("nan"),
                open_edges=tuple(np.flatnonzero(open_[group]).tolist()),
                stuck_edges=tuple(np.flatnonzero(stuck[group]).tolist()),
                sensitive=any(SENSITIVE in flag for flag in flags[group].tolist()),
            )
        )
    return found


def settle_text(view: View, one: Standing) -> str:
    """Say what would settle an undecided group.

    Parameters
    ----------
    view : View
        Findings.
    one : Standing
        An undecided group, or one with too few images.
    """
    if (view.columns["status"][one.group] == STATUS).all():
        return "nobody in particular: several people may stand behind it"
    if one.place == "too_few":
        have = f"{clusters_word(view, one.n_clusters)} with a usable pair"
        why = f"{G_MIN} are needed" if one.n_clusters < G_MIN else "of very uneven weight"
        return f"too few to judge ({have}; {why})"
    if one.stuck_edges:
        excess = view.columns["excess"][one.group, list(one.stuck_edges)].tolist()
        agrees = view.columns["status"][one.group, list(one.stuck_edges)] == "weighs_reference"
        names = edges_text(one.stuck_edges)
        if agrees.any():
            return f"it agrees with the {view.side} where the others do not ({names})"
        if all(map(on_the_line, excess)):
            sits = "sits" if len(one.stuck_edges) == 1 else "sit"
            return f"no reasonable number of images would: the {names} {sits} on the tolerance"
        return f"no reasonable number of images would, as much as the {names} varies"
    what = clusters_word(view, int(one.n_more)).replace(" ", " more ", 1)
    return f"about {what} would settle it ({edges_text(one.open_edges)})"


def edges_text(edges: Sequence[int]) -> str:
    """Name edges: return ``"top edge"``, ``"top and right edges"`` or ``"all edges"``."""
    names = [EDGE_NAMES[k].removesuffix(" edge") for k in edges]
    if len(names) == 4:
        return "all edges"
    if len(names) == 1:
        return f"{names[0]} edge"
    return ", ".join(names[:-1]) + f" and {names[-1]} edges"


def display_name(view: View, group: int, *, width: int = 40) -> str:
    """Return the annotator, or where there is none in the grouping, what the group is."""
    place = view.where(group)
    if "annotator" not in view.by:
        return clean_text(place or "everything", width=width)
    who = name_text(view.keys["annotator"][group], width=width)
    return f"{who}, {place}" if place else who
