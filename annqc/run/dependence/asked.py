"""run: asks of every edge of everybody what its offset depends on, see `annqc.run.dependence`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer._layout import Layout, stable_order
from annqc.infer.covariates import place_field, pseudo_values, score_tests, slopes
from annqc.infer.drift import false_alarm
from annqc.infer.multiplicity import accuse
from annqc.infer.padding import padding
from annqc.infer.verdicts import half_width
from annqc.run.dependence import QUESTIONS
from annqc.run.dependence.changes import find_changes
from annqc.run.dependence.moods import MAYBE, by_sitting, sittings_differ
from annqc.run.dependence.sessions import sessions
from annqc.run.dependence.sizes import LIKE_SIZES, net_slopes, share_of_sizes, without_sizes
from annqc.run.dependence.stack import Stack
from annqc.run.dependence.text import dependence_text
from annqc.tables import EDGES, nameless

if TYPE_CHECKING:
    from annqc.infer.covariates import Slopes
    from annqc.run.bias import Bias, BiasFinder
    from annqc.run.dependence.changes import Changes
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["Asked"]

N_EDGES: Final = len(EDGES)
CENTRAL: Final = (0.05, 0.95)
"""Between these shares of the work a dependence is measured."""
USED: Final = ("centre", "scale", "kappa")
TEXTS: Final = ("unit", "second_unit", "verdict", "status", "since")
COUNTS: Final = ("n", "n_clusters", "position", "n_before", "n_after")
NUMBERS: Final = (
    *("estimate", "ci_low", "ci_high", "second", "second_low", "second_high"),
    *("p_value", "p_adjusted", "reach", "net", "net_low", "net_high"),
)
ORDER: Final = (
    *("estimate", "ci_low", "ci_high", "unit", "second", "second_low", "second_high"),
    *("second_unit", "confidence_level", "n", "n_clusters", "p_value", "p_adjusted", "verdict"),
    *("status", "reach", "since", "position", "n_before", "n_after"),
    *("net", "net_low", "net_high"),
)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Answers:
    """Answers to one question, one row a group or change; columns that are missing are blank."""

    question: str
    group: Ints
    columns: dict[str, Array]


class Asked:
    """Asks all questions of one comparison.

    Parameters
    ----------
    bias : Bias
        Findings on annotators, or on all of the work.
    finder : BiasFinder
        That found them.
    times : (str, (n,) float64), optional
        From `annqc.run.times.times_of`.
    """

    def __init__(self, bias: Bias, finder: BiasFinder, times: tuple[str, Floats] | None) -> None:
        self.bias, self.measured = bias, finder.measurements
        self.reference = finder.matches.reference
        self.times = times
        self.level = bias.confidence
        self.n_people = bias.groups.n
        self.n_groups = N_EDGES * self.n_people
        rows, edge = np.nonzero(self.measured.usable[:, :N_EDGES])
        person = bias.groups.of_pair[rows]
        px = self.measured.edges[rows, edge]
        axis = edge % 2
        tolerance = self.measured.tolerance[rows, axis]
        # Of the eight quantities of each annotator the four edges, one group after another.
        found = bias.estimates.located["tolerance"]
        located = replace(
            found, **{name: getattr(found, name)[:, :N_EDGES].ravel() for name in USED}
        )
        grids = [finder.grid(bias.groups, unit)[:, :N_EDGES] for unit in ("tolerance", "px")]
        self.images = Stack(
            group=N_EDGES * person + edge,
            cluster=self.measured.cluster[rows],
            pair=rows,
            y=pseudo_values(px / tolerance, N_EDGES * person + edge, located),
            px=px,
            side=self.measured.sides[rows, axis],
            tolerance=tolerance,
            grid=grids[0].ravel(),
            grid_px=grids[1].ravel(),
        )
        self.left = without_sizes(self.images, self.images.y[:, None], self.n_groups)[:, 0]
        self.differ: Bools = np.zeros(self.n_people, dtype=bool)
        self.stack = self.images
        if times is not None:
            self.seconds = times[1][self.measured.candidate]
            person = bias.groups.of_pair
            self.sittings = sessions(self.seconds, self.measured.cluster, person, self.n_people)
            drawn = self.images, self.seconds, self.sittings, self.n_groups
            self.differ = sittings_differ(*drawn)
            self.maybe = sittings_differ(*drawn, level=MAYBE)
            # Images of one sitting are then no evidence each.
            cluster = by_sitting(self.images, self.sittings, self.differ)
            self.stack = replace(self.images, cluster=cluster)
        self.padded = padding(
            px,
            self.stack.side,
            tolerance,
            self.stack.cluster,
            self.stack.group,
            self.n_groups,
            grid=self.stack.grid,
            confidence=self.level,
        )
        names = bias.groups.keys["annotator"] if "annotator" in bias.by else np.array([""])
        self.nobody: Bools = np.repeat(nameless(names) & ("annotator" in bias.by), N_EDGES)

    def columns(self) -> dict[str, Array]:
        """Return the table, by annotator, edge and question."""
        asked = [self._size(), self._place(), *self._over_time(), self._padding()]
        place = {name: k for k, name in enumerate(QUESTIONS)}
        group = np.concatenate([one.group for one in asked])
        question = np.repeat([place[one.question] for one in asked], [len(x.group) for x in asked])
        order = np.lexsort((np.arange(len(group)), question, group))
        person, edge = group[order] // N_EDGES, group[order] % N_EDGES
        made: dict[str, Array] = {
            name: self.bias.groups.keys[name][person] for name in self.bias.by
        }
        made["quantity"] = np.array(EDGES, dtype=object)[edge]
        made["question"] = np.array(list(QUESTIONS), dtype=object)[question[order]]
        for name in ORDER:
            if name == "confidence_level":
                made[name] = np.full(len(order), self.level)
                continue
            kind: Any = object if name in TEXTS else np.int64 if name in COUNTS else np.float64
            blank: Any = "" if name in TEXTS else 0 if name in COUNTS else np.nan
            parts = [one.columns.get(name, np.full(len(one.group), blank)) for one in asked]
            made[name] = np.concatenate([part.astype(kind) for part in parts])[order]
        lists = [column.tolist() for column in made.values()]
        track = self.reference.table.track
        clusters = "image"
        if track is not None:
            clusters = "track" if len(track) and (track >= 0).all() else "image or track"
        texts = [
            dependence_text(dict(zip(made, row, strict=True)), clusters=clusters)
            for row in zip(*lists, strict=True)
        ]
        made["text"] = np.array(texts, dtype=object)
        return made

    def _size(self) -> _Answers:
        side = self.stack.side
        z = np.log2(np.where(side > 0, side, np.nan))[:, None]
        u = self.stack.px / self.stack.tolerance
        cluster, group = self.stack.cluster, self.stack.group
        fit = slopes(u, z, cluster, group, self.n_groups, grid=self.stack.grid)
        found = self._tested("size", z, self.stack, fit=fit)
        half = half_width(fit.se, fit.df[:, None], self.level)
        unit = "tolerances a doubling of the side"
        found.columns.update(self._told("", fit.estimate[:, 0], half[:, 0], unit))
        return found

    def _place(self) -> _Answers:
        table, images = self.reference.table, self.reference.image_table
        row = self.measured.reference[self.stack.pair]
        box, at = table.xyxy[row], table.image[row]
        with np.errstate(all="ignore"):
            u = (box[:, 0] + box[:, 2]) / images.width[at] - 1
            v = (box[:, 1] + box[:, 3]) / images.height[at] - 1
        u, v = (np.where(np.isfinite(one), one, np.nan) for one in (u, v))
        why = "" if np.isfinite(u + v).any() else "no_image_sizes"
        z = place_field(u, v)
        found = self._tested("place", z, self.stack, why=why)
        fit = self._fit(z, self.stack, "px")
        # Even terms are alike at both borders: between them lies twice the odd one.
        half = 2 * half_width(fit.se, fit.df[:, None], self.level)
        for prefix, k, unit in (
            ("", 0, "px from the left to the right border"),
            ("second", 1, "px from the top to the bottom border"),
        ):
            found.columns.update(self._told(prefix, 2 * fit.estimate[:, k], half[:, k], unit))
        return found

    def _over_time(self) -> tuple[_Answers, _Answers]:
        if self.times is None:
            status = np.full(self.n_groups, "no_times", dtype=object)
            columns = {"verdict": np.full(self.n_groups, "not_tested"), "status": status}
            session, change = (
                _Answers(question=one, group=np.arange(self.n_groups), columns=columns)
                for one in ("session", "change")
            )
            return session, change
        # Whoever is fast has images that are hardly apart from one another.
        sat = self.sittings.fast | self.differ
        stack = replace(self.images, cluster=by_sitting(self.images, self.sittings, sat))
        z = self.sittings.hours[stack.pair][:, None]
        found = self._tested("session", z, stack, sat=sat)
        fit = self._fit(z, stack, "px")
        half = half_width(fit.se, fit.df[:, None], self.level)
        found.columns.update(self._told("", fit.estimate[:, 0], half[:, 0], "px an hour"))
        # What is left of sizes has no level, so each edge gets its own back.
        group, n = stack.group, np.maximum(np.bincount(stack.group, minlength=self.n_groups), 1)
        level = np.bincount(group, self.images.y - self.left, self.n_groups) / n
        changes = find_changes(
            replace(self.images, y=self.left + level[group]),
            self.seconds,
            self.sittings,
            self.n_groups,
            differ=self.differ,
            maybe=self.maybe,
            chance=1 - self.level,
        )
        return found, self._changed(changes)

    def _changed(self, found: Changes) -> _Answers:
        """Lay out changes, and one row for each edge without any."""
        told = ~self.nobody[found.group]
        steady = np.setdiff1d(np.arange(self.n_groups), found.group[told])
        group = np.concatenate([found.group[told], steady])
        blank = np.full(len(steady), np.nan)
        columns: dict[str, Array] = {}
        for prefix, stretch in (("", found.after), ("second", found.before)):
            estimate, se, df = (np.append(x[told], blank) for x in stretch.T[:3])
            half = half_width(se, df, self.level)
            columns |= self._told(prefix, estimate, half, "px before" if prefix else "px after")
        estimate, se, df = (np.append(x[told], blank) for x in found.net.T)
        half = half_width(se, df, self.level)
        columns |= {"net": estimate, "net_low": estimate - half, "net_high": estimate + half}
        tested = found.watched & ~self.nobody
        alike = found.watched & (found.like_sizes > LIKE_SIZES)
        alike[found.group] = False
        verdict = np.where(np.abs(found.size[told]) >= 1, "changed", "measurable")
        rest = np.where((tested & ~alike)[steady], "not_found", "not_tested")
        status = np.where(found.n_units > 0, "too_few_clusters", "no_times")
        status = np.where(found.watched, "ok", status)
        status = np.where(found.watched & found.by_session, "by_session", status)
        status = np.where(alike, "like_sizes", status)
        status = np.where(found.moody, "sittings_differ", status)
        status = np.where(self.nobody, "anonymous", status)
        none = np.zeros(len(steady), dtype=np.int64)
        since = [datetime.fromtimestamp(one, UTC).isoformat() for one in found.since[told].tolist()]
        own = np.array(
            [
                float(false_alarm(peak, n))
                for peak, n in zip(found.peak.tolist(), found.n_units.tolist(), strict=True)
            ]
        )
        columns |= {
            "n": found.n[group],
            "n_clusters": found.n_units[group],
            "p_value": np.where(tested, own, np.nan)[group],
            "p_adjusted": np.where(tested, found.chance, np.nan)[group],
            "verdict": np.concatenate([verdict, rest]),
            "status": status[group],
            "reach": np.append(np.abs(found.size[told]), blank),
            "since": np.array(since + [""] * len(steady), dtype=object),
            "position": np.append(found.position[told], none),
            "n_before": np.append(found.before[told, 4], none),
            "n_after": np.append(found.after[told, 4], none),
        }
        return _Answers(question="change", group=group, columns=columns)

    def _padding(self) -> _Answers:
        found = self.padded
        p = np.where(self.nobody, np.nan, found.p_value)
        adjusted, _ = self._family(p)
        differ = np.repeat(self.differ, N_EDGES)
        moody = differ & (found.label == "NOT_SEPARABLE")
        untold = self.nobody | moody | (found.n == 0)
        status = np.where(moody, "sittings_differ", np.where(differ, "by_session", "ok"))
        status = np.where(self.nobody, "anonymous", status)
        half = found.additive_high - found.additive, 100 * (found.share_high - found.share)
        return _Answers(
            question="padding",
            group=np.arange(self.n_groups),
            columns={
                **self._told("", found.additive, half[0], "px"),
                **self._told("second", 100 * found.share, half[1], "% of the side"),
                "n": found.n,
                "n_clusters": found.n_clusters,
                "p_value": p,
                "p_adjusted": adjusted,
                "verdict": np.where(untold, "not_tested", found.label),
                "status": np.where(found.n == 0, "no_data", status),
            },
        )

    def _tested(
        self,
        question: str,
        z: Floats,
        stack: Stack,
        *,
        why: str = "",
        fit: Slopes | None = None,
        sat: Bools | None = None,
    ) -> _Answers:
        """Ask one question with a score test.

        ``fit`` is that in tolerances, if it is known; else what is left of sizes is tested, and
        those who are named are fitted. ``sat`` says whose clusters are sittings, if they are not
        those whose sittings differ.
        """
        g = self.n_groups
        y, tried, share = stack.y, z, np.zeros(g)
        if fit is None:
            y, tried = self.left, without_sizes(stack, z, g)
            share = share_of_sizes(stack, z, g).max(axis=1)
        found = score_tests(y, tried, stack.cluster, stack.group, g)
        p = np.where(found.enough & ~self.nobody, found.p_value, np.nan)
        adjusted, named = self._family(p)
        if fit is None:
            fit = self._fit(np.where(named[stack.group][:, None], z, np.nan), stack, "tolerance")
        reach = self._reach(z, fit.estimate)
        alike = (share > LIKE_SIZES) & ~named
        verdict = np.where(named, np.where(reach >= 1, "depends", "measurable"), "not_found")
        seated, differ = (
            np.repeat(x, N_EDGES) for x in (self.differ if sat is None else sat, self.differ)
        )
        status = np.where(found.enough, "ok", "too_few_clusters").astype(object)
        status[found.enough & seated] = "by_session"
        status[~found.enough & differ] = "sittings_differ"
        status[found.enough & alike] = "like_sizes"
        status[(found.rank == 0) & (found.n > 0)] = "no_variation"
        status[(found.rank == 0) & (found.n > 0) & alike] = "like_sizes"
        if question == "session":
            status[found.n == 0] = "no_times"
        status[self.nobody] = "anonymous"
        status[np.bincount(stack.group, minlength=g) == 0] = "no_data"
        if why:
            status[:] = why
        columns = {
            "n": found.n,
            "n_clusters": found.n_clusters,
            "p_value": p,
            "p_adjusted": adjusted,
            "verdict": np.where(np.isnan(p) | alike, "not_tested", verdict),
            "status": status,
            "reach": reach,
        }
        return _Answers(question=question, group=np.arange(g), columns=columns)

    def _fit(self, z: Floats, stack: Stack, unit: str) -> Slopes:
        """Fit offsets on objects of the same size."""
        grid = stack.grid_px if unit == "px" else stack.grid
        return net_slopes(stack, z, self.n_groups, unit=unit, grid=grid)

    def _family(self, p: Floats) -> tuple[Floats, Bools]:
        """Adjust the p-values of one question over all annotators and their edges."""
        found = accuse(p.reshape(-1, N_EDGES), q=1 - self.level)
        return found.head_adjusted.ravel(), found.head.ravel()

    def _reach(self, z: Floats, slope: Floats) -> Floats:
        """Return how far the fit goes over the central part of the work, in tolerances."""
        group = self.stack.group
        fitted = (z * slope[group]).sum(axis=1)
        used = np.flatnonzero(np.isfinite(fitted))
        used = used[stable_order(group[used])]
        reach = np.full(self.n_groups, np.nan)
        if len(used):
            rows = np.arange(len(used))
            layout = Layout.of(group[used], rows, np.ones(len(used), dtype=bool), 0.0)
            ranked = layout.rank(fitted[used])
            low, high = (layout.quantile(fitted[used], ranked, one) for one in CENTRAL)
            reach[layout.groups] = high - low
        return reach

    def _told(self, prefix: str, value: Floats, half: Floats, unit: str) -> dict[str, Array]:
        """Name an estimate and its interval."""
        names = ("second", "second_low", "second_high", "second_unit")
        if not prefix:
            names = ("estimate", "ci_low", "ci_high", "unit")
        units = np.full(len(value), unit, dtype=object)
        return dict(zip(names, (value, value - half, value + half, units), strict=True))
