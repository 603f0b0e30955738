"""The table of a benchmark run: one row a comparison, with the goal and whether it is met."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Goal:
    """What is asked of a row. Everything that is given must hold.

    Attributes
    ----------
    faster : float
        The peer takes at least so many times as long.
    at_most : float
        annqc takes at most so many times as long as the peer.
    cpu : float
        CPU seconds.
    peak_mb : float
        Peak memory.
    """

    faster: float | None = None
    at_most: float | None = None
    cpu: float | None = None
    peak_mb: float | None = None

    def __str__(self):
        parts = []
        if self.faster is not None:
            parts.append(f"{self.faster:g}x faster")
        if self.at_most is not None:
            parts.append(f"<= {self.at_most:g}x of it")
        if self.cpu is not None:
            parts.append(f"<= {seconds(self.cpu)}")
        if self.peak_mb is not None:
            parts.append(f"<= {memory(self.peak_mb)}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """One comparison. ``ratio`` is annqc's CPU time over the peer's, the median of the pairs.

    ``missing`` says why there is no time of the peer.
    """

    work: str
    ours: str
    cpu: float | None
    peer: str = ""
    peer_cpu: float | None = None
    ratio: float | None = None
    goal: Goal = field(default_factory=Goal)
    peak_mb: float | None = None
    peer_peak_mb: float | None = None
    note: str = ""
    missing: str = ""

    @property
    def met(self):
        """True or False, None where there is no goal or nothing to compare with."""
        goal, found = self.goal, []
        if goal.faster is not None:
            found.append(None if self.ratio is None else 1 / self.ratio >= goal.faster)
        if goal.at_most is not None:
            found.append(None if self.ratio is None else self.ratio <= goal.at_most)
        if goal.cpu is not None:
            found.append(None if self.cpu is None else self.cpu <= goal.cpu)
        if goal.peak_mb is not None:
            found.append(None if self.peak_mb is None else self.peak_mb <= goal.peak_mb)
        if False in found:
            return False
        return None if not found or None in found else True

    def cells(self):
        return (
            self.work,
            self.ours,
            "-" if self.cpu is None else seconds(self.cpu),
            "" if self.peak_mb is None else memory(self.peak_mb),
            self.peer,
            "" if not self.peer else "missing" if self.peer_cpu is None else seconds(self.peer_cpu),
            "" if self.peer_peak_mb is None else memory(self.peer_peak_mb),
            "" if self.ratio is None else ratio(self.ratio),
            str(self.goal),
            {True: "yes", False: "NO", None: ""}[self.met],
        )

    def figures(self):
        """Everything, for the JSON file."""
        return {**asdict(self), "goal": str(self.goal), "met": self.met}


HEAD = (
    *("work", "annqc", "CPU", "peak", "peer", "its CPU", "its peak"),
    *("ratio", "goal", "met?"),
)


def seconds(value):
    if value < 0.0995:
        return f"{1e3 * value:.3g} ms"
    return f"{value:.3g} s"


def memory(megabytes):
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1024:.2f} GB"


def ratio(value):
    return f"{1 / value:.1f}x faster" if value < 1 else f"{value:.2f}x of it"


def table(rows, *, goals=True):
    """Lay the rows out in columns, notes below; without goals where they do not apply."""
    lines = [HEAD, *(row.cells() for row in rows)]
    if not goals:
        lines = [line[:-2] for line in lines]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    right = {2, 3, 5, 6, 7}
    text = []
    for line in lines:
        cells = [
            c.rjust(w) if k in right else c.ljust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "  ".join("-" * width for width in widths))
    notes = list(dict.fromkeys(f"{row.work}: {row.note}" for row in rows if row.note))
    notes += dict.fromkeys(f"missing: {row.peer}: {row.missing}" for row in rows if row.missing)
    return "\n".join([*text, *([""] if notes else []), *notes])
