"""report: offsets in blocks of a person's work (of time, size or place), and a picture of them.

Blocks are described, with intervals that know of clusters. A block that differs from its neighbours
is no finding; what was tested is in `annqc.report.html.dependence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import half_width
from annqc.report.html.pictures import SHORT, figure_of
from annqc.report.html.texts import interval, number
from annqc.run.bias import BiasFinder, Groups
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.html.pictures import Figure
    from annqc.report.html.story import Story
    from annqc.run.audit import Run
    from annqc.tables import Array, Floats, Ints

__all__ = ["LEAST", "Blocker", "Blocks", "Panel", "block_cells", "cut", "evidence_of", "panels"]
__all__ += ["spans"]

LEAST: Final = 5
"""Clusters that a block should have."""
POINT: Final = "#56B4E9"
GUIDE: Final = "#8A8F96"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Blocks:
    """Offsets of n blocks in pixels, arrays (n, 8) by `annqc.tables.QUANTITIES`.

    Attributes
    ----------
    estimate, low, high : float64
        As in `annqc.Audit.bias`; NaN where there is none.
    n, n_clusters : int64
        Pairs and clusters.
    """

    estimate: Floats
    low: Floats
    high: Floats
    n: Ints
    n_clusters: Ints


class Blocker:
    """Estimates offsets in blocks, as findings are estimated.

    Parameters
    ----------
    run : Run
        The comparison.
    """

    def __init__(self, run: Run) -> None:
        self.confidence = run.parameters.confidence
        self.finder = BiasFinder(
            run.matches,
            run.measurements,
            run.detected,
            confidence=self.confidence,
            border_px=run.parameters.border_px,
            engine=run.engine,
        )

    def blocks(self, code: Ints, n: int) -> Blocks:
        """Estimate the offsets of every block.

        Parameters
        ----------
        code : (n_pairs,) int64
            Block of each of the run's measurements, -1 for none.
        n : int
            How many blocks there are.
        """
        # What is in no block is one more, which nobody looks at.
        groups = Groups(
            n=n + 1, keys={}, codes={}, of_pair=np.where(code < 0, n, code), of_asked=None
        )
        found = self.finder.estimates(groups).located["px"]
        half = half_width(found.se, found.df, self.confidence)
        return Blocks(
            estimate=found.estimate[:n],
            low=(found.estimate - half)[:n],
            high=(found.estimate + half)[:n],
            n=found.n[:n],
            n_clusters=found.n_clusters[:n],
        )


def evidence_of(story: Story) -> str:
    """Name what evidence is counted in: images, and tracks where there are some.

    Parameters
    ----------
    story : Story
        The audit.
    """
    return " or ".join(f"{one}s" for one in story.view.clusters.split(" or "))


def cut(values: Floats, n: int) -> Ints:
    """Cut values into blocks of about equal numbers, in order; equal values are never parted.

    Parameters
    ----------
    values : (m,) float64
    n : int
        Blocks at most.

    Returns
    -------
    (m,) int64
        Block of each value, from 0 on without gaps.

    Examples
    --------
    >>> cut(np.array([3.0, 1, 2, 2, 9, 8]), 3).tolist()
    [1, 0, 0, 0, 2, 2]
    """
    ordered = np.sort(values)
    rank = np.searchsorted(ordered, values, "left")
    return np.unique(rank * n // max(len(values), 1), return_inverse=True)[1]


def block_cells(blocks: Blocks, row: int, quantities: Sequence[int]) -> list[dict[str, str]]:
    """Lay out some estimates of a block.

    Parameters
    ----------
    blocks : Blocks
    row : int
        Block.
    quantities : sequence of int
        Positions in `annqc.tables.QUANTITIES`.
    """
    return [
        {
            "value": number(float(blocks.estimate[row, k]), 2, sign=True),
            "interval": interval(blocks.low[row, k], blocks.high[row, k], 2),
        }
        for k in quantities
    ]


def spans(blocks: Blocks, row: int, quantities: Sequence[int]) -> dict[str, str]:
    """Say how many pairs and clusters there are behind some estimates of a block.

    Parameters
    ----------
    blocks : Blocks
    row : int
        Block.
    quantities : sequence of int
        Positions in `annqc.tables.QUANTITIES`.

    Returns
    -------
    dict of str to str
        ``n`` and ``n_clusters``: one number, or the smallest and the largest.
    """
    made = {}
    for name, counts in (("n", blocks.n), ("n_clusters", blocks.n_clusters)):
        some = counts[row, list(quantities)]
        least, most = f"{int(some.min()):,}", f"{int(some.max()):,}"
        made[name] = most if least == most else f"{least} to {most}"
    return made


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Panel:
    """Points of one edge: where they stand, the blocks they come from, and lines to hold them by.

    Attributes
    ----------
    x : list
        Numbers or dates.
    rows : (n,) int64
        Blocks.
    guides : list of (name, dash, x, y)
        Lines.
    title : str
        Of the axis across.
    """

    x: list[Any]
    rows: Array
    guides: list[tuple[str, str, list[Any], list[float]]]
    title: str = ""


def panels(blocks: Blocks, of: Sequence[Panel]) -> Figure:
    """Draw the offsets of the four edges in blocks, a panel an edge.

    Parameters
    ----------
    blocks : Blocks
    of : sequence of Panel
        In the order of `annqc.tables.EDGES`.
    """
    traces: list[Figure] = []
    layout: Figure = {
        "height": 440,
        "margin": {"l": 40, "r": 8, "t": 50, "b": 48},
        "annotations": [],
        "legend": {"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0},
    }
    for k, one in enumerate(of):
        suffix = "" if k == 0 else str(k + 1)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        value, low, high = (x[one.rows, k] for x in (blocks.estimate, blocks.low, blocks.high))
        for name, dash, x, y in one.guides:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "legendgroup": name,
                    "showlegend": k == 0,
                    "x": x,
                    "y": y,
                    "line": {"color": GUIDE, "width": 1.5, "dash": dash},
                    "hoverinfo": "skip",
                    **axes,
                }
            )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "estimate with interval",
                "legendgroup": "estimate",
                "showlegend": k == 0,
                "x": one.x,
                "y": value.tolist(),
                "marker": {"color": POINT, "size": 8},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": (high - value).tolist(),
                    "arrayminus": (value - low).tolist(),
                    "color": POINT,
                    "thickness": 1.5,
                    "width": 4,
                },
                "hoverinfo": "text",
                "hovertext": [
                    f"{number(a, sign=True)} px ({interval(b, c)})"
                    for a, b, c in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)
                ],
                **axes,
            }
        )
        column, row = k % 2, k // 2
        x_domain = [0.0, 0.46] if column == 0 else [0.54, 1.0]
        y_domain = [0.58, 1.0] if row == 0 else [0.0, 0.42]
        layout[f"xaxis{suffix}"] = {
            "domain": x_domain,
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "title": {"text": one.title if row else ""},
            "nticks": 5,
        }
        layout[f"yaxis{suffix}"] = {
            "domain": y_domain,
            "anchor": f"x{suffix}",
            "fixedrange": True,
            "zeroline": True,
        }
        layout["annotations"].append(
            {
                "text": f"{SHORT[EDGES[k]]}, px",
                "x": sum(x_domain) / 2,
                "xanchor": "center",
                "y": y_domain[1],
                "xref": "paper",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    return figure_of(traces, layout)
