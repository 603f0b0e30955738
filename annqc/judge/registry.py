"""judge: what a rule may ask for. A rule kind is one registered function; none is known here.

A measure takes the audit (anything that is `Measured`) and a rule, and returns an `Assessment`: one
row a group, each with its outcome. Putting the rows together into one outcome and one sentence is
the work of `annqc.judge.verdicts`, the same for every measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from annqc.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from annqc.judge.model import Rule
    from annqc.match.matches import Matches
    from annqc.match.policy import MatchPolicy
    from annqc.measure.tolerance import Tolerance
    from annqc.tables import Array, Bools, Floats, Problem

__all__ = [
    "OUTCOMES",
    "Assessment",
    "Measure",
    "Measured",
    "Outcome",
    "find_measure",
    "measures",
    "register_measure",
]

Outcome = Literal["pass", "fail", "undecided", "not_applicable", "error"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("pass", "fail", "undecided", "not_applicable", "error")
"""Every outcome of a check; only ``pass`` is a pass."""


class Settings(Protocol):
    """What an audit was asked to do, as far as a judge needs to know."""

    @property
    def policy(self) -> MatchPolicy:
        """How the two sides were paired."""

    @property
    def tolerance(self) -> Tolerance:
        """Largest offset that is no bias."""

    @property
    def confidence(self) -> float:
        """Level of the intervals."""


class Measured(Protocol):
    """An audit, seen from the judge's bench: columns to judge by, and how to have them redone."""

    @property
    def parameters(self) -> Settings:
        """What the audit was asked to do."""

    @property
    def matches(self) -> Matches:
        """Which drawing means which object, and the two sides."""

    @property
    def issues(self) -> tuple[Problem, ...]:
        """Every problem of the input."""

    def bias_columns(self, by: str | Sequence[str] = ...) -> dict[str, Array]:
        """Return findings on signed offsets, one row a group and quantity."""

    def sequential_columns(
        self, by: str | Sequence[str] = ..., *, cells: Bools | None = ...
    ) -> dict[str, Array]:
        """Return findings that hold at every look; ``cells`` are those judged together."""

    def changes(
        self,
        earlier: Any,
        measure: str,
        by: str | Sequence[str] = ...,
        *,
        margin: float | Tolerance,
    ) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Return what changed since an earlier audit, and notes on what took no part."""

    def worsened(
        self,
        earlier: Any,
        measure: str,
        group: Mapping[str, object],
        *,
        quantity: str | None = None,
        most: int = 5,
    ) -> list[dict[str, Any]]:
        """Return the annotations of a group that got worse since an earlier audit."""

    def rate_columns(
        self,
        name: str,
        by: str | Sequence[str] = ...,
        *,
        limit: float,
        at_least: bool,
        kinds: Sequence[str] = (),
    ) -> dict[str, Array]:
        """Return a rate with intervals, held against a limit, one row a group."""

    def outline_columns(self, by: str | Sequence[str] = ...) -> dict[str, Array]:
        """Return findings on signed contour offsets, one row a group and quantity."""

    def outline_rate_columns(
        self, name: str, by: str | Sequence[str] = ..., *, limit: float, at_least: bool
    ) -> dict[str, Array]:
        """Return how well outlines agree, held against a limit, one row a group."""

    def temporal_columns(
        self, by: str | Sequence[str] = ..., *, margins: Mapping[str, float] | None = ...
    ) -> dict[str, Array]:
        """Return findings on tracks over time, one row a group and quantity."""

    def track_rate_columns(
        self,
        name: str,
        by: str | Sequence[str] = ...,
        *,
        limit: float,
        at_least: bool,
        preprocess: str = ...,
    ) -> dict[str, Array]:
        """Return a tracking score or a rate of switches, held against a limit, one row a group."""

    def track_count_columns(
        self, by: str | Sequence[str] = ..., *, kinds: Sequence[str] = ...
    ) -> dict[str, Array]:
        """Count events of tracks, one row a group."""

    def count_columns(
        self, name: str, by: str | Sequence[str] = ..., *, kinds: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Return a count, one row a group."""

    def coverage_columns(
        self, name: str, by: str | Sequence[str] = ..., *, categories: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Return what is there and what is missing, one row a group."""

    def known_values(self, name: str) -> set[str]:
        """Return every value that a column can have, as text."""

    def worst(
        self,
        group: Mapping[str, object],
        *,
        quantity: str | None = None,
        kinds: Sequence[str] = (),
        most: int = 5,
    ) -> list[dict[str, Any]]:
        """Return the annotations of a group that weigh most against it, the worst first."""

    def with_parameters(
        self,
        *,
        tolerance: Tolerance | str | None = None,
        confidence: float | None = None,
        policy: MatchPolicy | None = None,
    ) -> Measured:
        """Return the same comparison under other parameters; None keeps what there is."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Assessment:
    """What a measure found: n groups, each with an outcome.

    Attributes
    ----------
    claim : str
        What the rule asks, in words that follow "asked:", such as ``"recall at least 0.95"``.
    keys : dict of str to (n,) array
        The group of each row.
    columns : dict of str to (n,) array
        The numbers of each row.
    outcome : (n,) object
        ``"pass"``, ``"fail"`` or ``"undecided"``.
    badness : (n,) float64
        Rows of the same outcome are shown in falling order of this; NaN last.
    describe : callable
        One row (its number) in words, with estimate, interval and clusters.
    nothing : str
        Why there is nothing to judge; empty where there is.
    notes : tuple of str
        What a reader must know besides, such as a value in ``where`` that does not occur.
    passes : str
        Words for a pass, where "all are as asked" would not do.
    together : callable, optional
        Words for several rows that are one offence; takes row numbers, returns one text an offence.
    things : str
        What a row is, such as ``"edge"``.
    count : callable, optional
        Counts several rows in words, such as ``"3 edges of 2 annotators"``; takes row numbers.
    doubtful : (n,) bool, optional
        Rows whose outcome rests on too few of the objects to be sure.
    look : callable, optional
        ``look(row)`` gives the keyword arguments of `Measured.worst` that find the annotations
        behind a row: ``quantity`` or ``kinds``; None where there are none to show.
    """

    claim: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    outcome: Array
    badness: Floats
    describe: Callable[[int], str]
    nothing: str = ""
    notes: tuple[str, ...] = ()
    passes: str = ""
    together: Callable[[Sequence[int]], list[str]] | None = None
    things: str = "group"
    count: Callable[[Sequence[int]], str] | None = None
    doubtful: Bools | None = None
    look: Callable[[int], dict[str, Any] | None] | None = None

    def __len__(self) -> int:
        return len(self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One rule kind.

    Attributes
    ----------
    name : str
        What a spec calls it.
    summary : str
        What it asks, in one line.
    assess : callable
        ``assess(measured, rule) -> Assessment``.
    takes : frozenset of str
        Fields of a rule, besides ``id`` and ``measure``, that mean something to it.
    limits : tuple of str
        Of ``at_least`` and ``at_most`` those it takes; a rule gives exactly one of them.
    limit_range : (float, float)
        Where the limit must lie.
    check : callable, optional
        ``check(rule) -> fault or None``: what else a rule of this kind must keep to.
    kinds : tuple of str
        What ``kind`` may name, for measures that take it; empty where that is not known beforehand.
    by : tuple of str
        Columns that a rule groups by where it does not say.
    outlines : bool
        Whether it looks at polygons and masks, so that they have to be read.
    unit : str
        Unit of the limit, such as ``"px"``; empty for shares and counts.
    tracks : bool
        Whether it looks at tracks, so that frames of videos are needed.
    usual : float, optional
        The limit where a rule gives none; without one it must.
    """

    name: str
    summary: str
    assess: Callable[[Measured, Rule], Assessment]
    takes: frozenset[str]
    limits: tuple[str, ...] = ()
    limit_range: tuple[float, float] = (0.0, 1.0)
    check: Callable[[Rule], str | None] | None = field(default=None)
    kinds: tuple[str, ...] = ()
    by: tuple[str, ...] = ("annotator",)
    outlines: bool = False
    unit: str = ""
    tracks: bool = False
    usual: float | None = None


_MEASURES: Final[dict[str, Measure]] = {}


def register_measure(
    name: str, summary: str, *, takes: Sequence[str], **options: Any
) -> Callable[[Callable[[Measured, Rule], Assessment]], Callable[[Measured, Rule], Assessment]]:
    """Register a function as the measure of that name.

    Parameters
    ----------
    name : str
        What a spec calls it.
    summary : str
        What it asks, in one line.
    takes : sequence of str
        Fields of a rule that mean something to it.
    **options
        ``limits``, ``limit_range``, ``check``, ``kinds``, ``by``, ``outlines``, ``unit``,
        ``tracks`` and ``usual`` of `Measure`.

    Returns
    -------
    callable
        A decorator that returns the function unchanged.

    Raises
    ------
    ValueError
        Where the name is taken.
    """
    if name in _MEASURES:
        message = f"the measure {name!r} is registered already"
        raise ValueError(message)

    def register(
        assess: Callable[[Measured, Rule], Assessment],
    ) -> Callable[[Measured, Rule], Assessment]:
        limits = tuple(options.get("limits", ()))
        _MEASURES[name] = Measure(
            name=name,
            summary=summary,
            assess=assess,
            takes=frozenset((*takes, *limits)),
            **options,
        )
        return assess

    return register


def measures() -> dict[str, Measure]:
    """Return every measure by name, in the order in which they were registered."""
    return dict(_MEASURES)


def find_measure(name: str) -> Measure:
    """Look a measure up.

    Raises
    ------
    UnknownNameError
        Where there is none of that name.

    Examples
    --------
    >>> import annqc.judge
    >>> find_measure("recall").limits
    ('at_least', 'at_most')
    """
    if name not in _MEASURES:
        kind = "measure"
        raise UnknownNameError.among(kind, name, _MEASURES)
    return _MEASURES[name]
