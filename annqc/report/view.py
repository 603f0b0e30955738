"""report: findings of one grouping as matrices, one row a group and one column a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.run.findings import findings_columns
from annqc.run.leaveoneout import OTHERS
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from annqc.measure.tolerance import Tolerance
    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Ints

__all__ = ["View", "clusters_word", "kind_of_clusters", "side_of", "view_of"]

K = len(QUANTITIES)


@dataclass(frozen=True, eq=False)
class View:
    """Findings of one grouping, laid out for sentences.

    Parameters
    ----------
    by : tuple of str
        The columns of the grouping.
    columns : dict of str to (n_groups, 8) array
        Columns of `annqc.Audit.bias`, one row a group, quantities side by side.
    keys : dict of str to (n_groups,) array
        Value of each ``by`` column.
    tolerance : Tolerance
        That of the audit; says in which unit sizes are told.
    clusters : str
        What evidence is counted in: ``"image"``, ``"track"`` where every object has one, or
        ``"image or track"`` where some have.
    accused : (n_groups,) bool, optional
        For annotators as a whole: who is accused, on the whole work or on a part of it. Where it
        is not given, those with a biased finding.
    side : str
        What the reference is called: ``"gold"`` or ``"consensus"``.
    """

    by: tuple[str, ...]
    columns: dict[str, Array]
    keys: dict[str, Array]
    tolerance: Tolerance
    clusters: str
    accused: Bools | None = None
    side: str = "gold"

    def __len__(self) -> int:
        return len(self.columns["verdict"])

    @cached_property
    def biased(self) -> Bools:
        """Which findings are biased."""
        named: Bools = self.columns["verdict"] == "biased"
        return named

    @cached_property
    def n_clusters(self) -> Ints:
        """Clusters behind each group: the most that any quantity has."""
        most: Ints = self.columns["n_clusters"].max(axis=1, initial=0)
        return most

    @cached_property
    def least_clusters(self) -> Ints:
        """Clusters behind that edge of each group that has the fewest."""
        least: Ints = self.columns["n_clusters"][:, : len(EDGES)].min(axis=1)
        return least

    @cached_property
    def off(self) -> Bools:
        """Which groups are biased, be it in a part of the work."""
        if self.accused is not None:
            return self.accused
        return np.asarray(self.biased.any(axis=1))

    def finding(self, group: int, quantity: int) -> dict[str, Any]:
        """Return one finding as a row of `annqc.Audit.bias`."""
        return {name: column[group, quantity] for name, column in self.columns.items()}

    def estimate(self, group: int, quantity: int, unit: str) -> tuple[float, float, float]:
        """Return estimate and interval in a unit (``"px"``, ``"rel"`` or ``""`` for tolerances)."""
        suffix = f"_{unit}" if unit else ""
        names = (f"estimate{suffix}", f"ci_low{suffix}", f"ci_high{suffix}")
        one, low, high = (float(self.columns[name][group, quantity]) for name in names)
        return one, low, high

    def where(self, group: int) -> str:
        """Name the part of the work that the group is, apart from the annotator."""
        parts = []
        for name in self.by:
            if name != "annotator":
                value = clean_text(self.keys[name][group])
                parts.append(
                    value if name in {"category", "size"} else f"{clean_text(name)} {value}"
                )
        return ", ".join(parts)


def view_of(run: Run, by: tuple[str, ...] = ("annotator",), *, whole: bool = False) -> View:
    """Lay out the findings of a run.

    Parameters
    ----------
    run : Run
        The comparison.
    by : tuple of str
        The grouping.
    whole : bool
        The annotators' whole work, decided in one go with the strata of the grouping.
    """
    found = run.annotator_findings(by) if whole else run.findings(by)
    flat = findings_columns(found)
    columns = {name: column.reshape(-1, K) for name, column in flat.items() if name not in found.by}
    columns["mean_px"] = found.estimates.located["px"].mean
    return View(
        by=found.by,
        columns=columns,
        keys={name: found.groups.keys[name] for name in found.by},
        tolerance=run.parameters.tolerance,
        clusters=kind_of_clusters(run),
        # In strata the accusation is on the annotator, and there are several rows of each.
        accused=found.accusation.accused if found.pooled is None else None,
        side=side_of(run),
    )


def side_of(run: Run) -> str:
    """Return what the reference of a run is called: ``"gold"`` or ``"consensus"``."""
    return "consensus" if OTHERS in run.reference.annotator_ids.tolist() else "gold"


def kind_of_clusters(run: Run) -> str:
    """Name what evidence is counted in; a box outside of all tracks stands for its image."""
    track = run.reference.table.track
    if track is None:
        return "image"
    return "track" if len(track) and bool((track >= 0).all()) else "image or track"


def clusters_word(view: View, n: int) -> str:
    """Return ``"1 image"``, ``"23 images"``, ``"23 tracks"`` or ``"23 images or tracks"``."""
    return number_of(n, view.clusters)
