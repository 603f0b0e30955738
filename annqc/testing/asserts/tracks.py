"""testing: asserts on tracks: drift, lag, steadiness, and tracking scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.errors import UnknownNameError
from annqc.testing.asserts.judged import judged, one
from annqc.testing.asserts.measures import listed, plain_where, rate_rule

if TYPE_CHECKING:
    from annqc.judge import Check, Judgement, Tolerance
    from annqc.testing.asserts.judged import Undecided
    from annqc.testing.asserts.measures import Columns, Where

__all__ = ["assert_hota", "assert_no_drift", "assert_no_lag", "assert_no_track_events"]

EDGES: Final = ("left", "top", "right", "bottom")


def assert_no_drift(
    work: Any,
    gold: Any = None,
    *,
    edges: Columns = "all",
    by: Columns = ("annotator",),
    where: Where | None = None,
    tolerance: str | Tolerance | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Judgement:
    """Assert that nobody lets an edge wander off while a video goes on.

    Parameters
    ----------
    work : path, glob, folder, list of those, Dataset or Audit
        Boxes in frames of videos. With an audit there is no ``gold`` and there are no ``options``.
    gold : the same, but no Audit
        What is trusted; its boxes have the ids of their tracks.
    edges : str or sequence of str
        ``"all"`` for the four edges, judged together; or one or some of ``"left", "top", "right",
        "bottom"``, each its own check.
    by : str or sequence of str
        Columns; every combination of their values is a group that must be clean.
    where : mapping, optional
        Only groups with these values, such as ``{"category": "car"}``.
    tolerance : str or Tolerance, optional
        How far an edge may wander in 100 frames: ``"2 px"``, ``"3 %"`` of the gold box's side, or
        ``"max(1 px, 2 %)"``, which it is if not given.
    confidence : float, optional
        Level of the intervals; 0.95 if not given.
    undecided : {"fail", "pass", "skip"}
        What to do where there are too few tracks to tell, or none.
    **options
        Further arguments of `annqc.audit`, such as ``annotator="stem"``.

    Returns
    -------
    Judgement
        With one check, or one for each of the edges.

    Raises
    ------
    AssertionError
        Somebody drifts, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import TrackHabit, tracks
    >>> from annqc.testing import assert_no_drift
    >>> made = tracks({"ann": [], "bob": TrackHabit.drift(5, edge="bottom")}, rng=1)
    >>> assert_no_drift(made.work, made.gold, where={"annotator": "ann"}).outcome
    'pass'
    >>> assert_no_drift(made.work, made.gold)
    Traceback (most recent call last):
    ...
    AssertionError: bob: the bottom edge drifts ... px outwards in 100 frames (...
    """
    __tracebackhide__ = True
    asked = ["drift"]
    if edges != "all":
        chosen = [edges] if isinstance(edges, str) else list(edges)
        for edge in chosen:
            if edge not in EDGES:
                kind, where_ = "edge", "assert_no_drift"
                raise UnknownNameError.among(kind, edge, ("all", *EDGES), where=where_)
        asked = [f"drift_{edge}" for edge in chosen]
    shared = {
        "by": listed(by),
        "where": plain_where(where),
        "tolerance": tolerance,
        "confidence": confidence,
    }
    rules = [{"id": name, "measure": name, **shared} for name in asked]
    return judged("assert_no_drift", work, gold, rules, options, undecided=undecided)


def assert_no_lag(
    work: Any,
    gold: Any = None,
    *,
    frames: float = 0.5,
    by: Columns = ("annotator",),
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that nobody's boxes trail the objects, or run ahead of them.

    Parameters
    ----------
    work, gold
        As in `assert_no_drift`.
    frames : float
        The largest lag, either way. A group passes where its interval is shown to lie within.
    by, where, confidence, undecided, **options
        As in `assert_no_drift`.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        Somebody lags, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import TrackHabit, tracks
    >>> from annqc.testing import assert_no_lag
    >>> made = tracks({"ann": [], "bob": TrackHabit.lag(2)}, rng=1)
    >>> assert_no_lag(made.work, made.gold, where={"annotator": "ann"}).outcome
    'pass'
    >>> assert_no_lag(made.work, made.gold)
    Traceback (most recent call last):
    ...
    AssertionError: bob: boxes trail the object by 2.0 frames (...
    """
    __tracebackhide__ = True
    rule = rate_rule("lag", None, by, where, confidence) | {"at_most": frames}
    return one(judged("assert_no_lag", work, gold, [rule], options, undecided=undecided))


def assert_hota(
    work: Any,
    gold: Any = None,
    *,
    at_least: float,
    preprocess: str | None = None,
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that everybody's tracks reach a HOTA.

    Parameters
    ----------
    work, gold
        As in `assert_no_drift`; both have the ids of their tracks.
    at_least : float
        The limit, from 0 to 1. An annotator passes where the whole interval is at or above it. The
        interval is a jackknife over sequences, or over tracks where there are fewer than five.
    preprocess : {"none", "mot", "mot20"}, optional
        Leave out what MOTChallenge does; nothing if not given.
    where : mapping, optional
        Only some annotators: ``{"annotator": "bob"}``.
    confidence, undecided, **options
        As in `assert_no_drift`.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        Somebody is below the limit, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import tracks
    >>> from annqc.testing import assert_hota
    >>> made = tracks(["ann"], n_sequences=5, n_tracks=3, n_frames=100, rng=1)
    >>> assert_hota(made.work, made.gold, at_least=0.9).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("hota", at_least, ("annotator",), where, confidence)
    rule |= {"preprocess": preprocess}
    return one(judged("assert_hota", work, gold, [rule], options, undecided=undecided))


def assert_no_track_events(
    work: Any,
    gold: Any = None,
    *,
    kinds: Columns = (),
    at_most: float = 0,
    by: Columns = ("annotator",),
    where: Where | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that there are no jumps, gaps, switched ids or other events in single tracks.

    Parameters
    ----------
    work, gold
        As in `assert_hota`.
    kinds : str or sequence of str
        Such as ``"id_switch"``; all but cuts of the camera if not given.
    at_most : float
        So many are let through, in each group.
    by, where, undecided, **options
        As in `assert_no_drift`.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        There are more.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import TrackHabit, tracks
    >>> from annqc.testing import assert_no_track_events
    >>> made = tracks({"eve": TrackHabit.swap()}, n_sequences=1, n_tracks=2, rng=1)
    >>> assert_no_track_events(made.work, made.gold, kinds="id_swap")
    Traceback (most recent call last):
    ...
    AssertionError: eve: 2 events of tracks (id_swap); asked: at most 0 events of tracks (id_swap)
    ...
    """
    __tracebackhide__ = True
    rule = {
        "id": "track_events",
        "measure": "track_events",
        "at_most": at_most,
        "by": listed(by),
        "where": plain_where(where),
        "kind": listed(kinds) or None,
    }
    return one(judged("assert_no_track_events", work, gold, [rule], options, undecided=undecided))
