"""report: findings of one grouping as matrices, one row a group and one column a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import number_of
from annqc.measure.offsets import AXIS
from annqc.report.plain import clean_text
from annqc.run.findings import findings_columns
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Ints

__all__ = ["View", "clusters_word", "in_pixels", "view_of"]

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
    pixels : (n_groups, 2) bool
        Whether the pixel part of the tolerance binds for most pairs, along x and y: then sizes are
        told in pixels, else in per cent.
    clusters : str
        What evidence is counted in: ``"image"``, or ``"image or track"`` where there are tracks.
    """

    by: tuple[str, ...]
    columns: dict[str, Array]
    keys: dict[str, Array]
    pixels: Bools
    clusters: str

    def __len__(self) -> int:
        return len(self.pixels)

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

    def unit(self, group: int, quantity: int) -> str:
        """Return the unit in which the tolerance binds: ``"px"`` or ``"rel"``."""
        return "px" if self.pixels[group, AXIS[quantity]] else "rel"

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
    return View(
        by=found.by,
        columns=columns,
        keys={name: found.groups.keys[name] for name in found.by},
        pixels=in_pixels(run, found.groups.of_pair, found.groups.n),
        clusters="image" if run.reference.table.track is None else "image or track",
    )


def in_pixels(run: Run, group: Ints, n_groups: int) -> Bools:
    """Whether the pixel part of the tolerance binds for most pairs of each group, along x and y."""
    tolerance, measured = run.parameters.tolerance, run.measurements
    binds = measured.tolerance <= tolerance.px
    share = np.stack([np.bincount(group, column, n_groups) for column in binds.T], axis=1)
    half: Bools = share >= 0.5 * np.bincount(group, minlength=n_groups)[:, None]
    return half


def clusters_word(view: View, n: int) -> str:
    """Return ``"1 image"``, ``"23 images"`` or ``"23 images or tracks"``."""
    return number_of(n, view.clusters)
