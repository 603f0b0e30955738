"""testing: the examples of a spec. Simulated annotators on whom its rules must come out as said."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annqc.errors import AnnqcError, SpecError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge import Judgement
    from annqc.judge.model import DrawnAs, Example, Spec
    from annqc.simulate import Habit, OutlineHabit, TrackHabit

__all__ = ["ExampleResult", "run_example"]

OWN = ("annotators", "n_images", "n_frames", "rng", "drawn_as")
"""Arguments of a simulation that an example gives in other words."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class ExampleResult:
    """How one example came out.

    Attributes
    ----------
    name : str
        Name of the example.
    faults : tuple of str
        One line for each rule that came out otherwise; empty where all is as expected.
    judgement : Judgement
        What the spec says of the simulated work; of the rules that the example names alone.
    """

    name: str
    faults: tuple[str, ...]
    judgement: Judgement

    @property
    def ok(self) -> bool:
        """Whether every rule came out as expected."""
        return not self.faults

    def __str__(self) -> str:
        if self.ok:
            return f"example {self.name}: as expected"
        return "\n".join([f"example {self.name}:", *(f"  {fault}" for fault in self.faults)])


def run_example(spec: Spec, example: Example) -> ExampleResult:
    """Simulate the annotators of an example, judge their work, and compare.

    Parameters
    ----------
    spec : Spec
        From `annqc.judge.load_spec`.
    example : Example
        One of ``spec.examples``.

    Returns
    -------
    ExampleResult
        ``ok``, and a line for each rule that came out otherwise. Rules that ``expect`` does not
        name are not applied.

    Raises
    ------
    AnnqcError
        The example cannot be simulated: a habit or an argument of the scene is written wrongly.

    Examples
    --------
    >>> from annqc.judge import load_spec
    >>> from annqc.judge.model import Example
    >>> rule = {"id": "recall", "measure": "recall", "at_least": 0.9}
    >>> spec = load_spec({"annqc": {"version": 1}, "rule": [rule]})
    >>> lazy = Example(
    ...     name="lazy", annotators={"eve": ("misses 30 %",)}, expect={"recall": "fail"}
    ... )
    >>> run_example(spec, lazy).ok
    True
    """
    from annqc.api import audit

    try:
        made = _simulated(example)
    except AnnqcError as error:
        what = f"the example {example.name!r} of {spec.name} cannot be simulated: {error.what}"
        said = {"expected": error.expected, "found": error.found, "hint": error.hint}
        raise SpecError(what, where=error.where, **said) from None
    judgement = audit(made.work, made.gold, policy=spec.match).judge(spec, only=example.expect)
    faults = tuple(
        f"{check.id}: expected {_words(expected)}, found {_words(check.outcome)}: {check.sentence}"
        for check in judgement.checks
        if check.outcome != (expected := example.expect[check.id])
    )
    return ExampleResult(name=example.name, faults=faults, judgement=judgement)


def _simulated(example: Example) -> Any:
    from annqc.simulate import outlines, simulate, tracks

    drawn_as = example.drawn_as
    made: dict[str, Callable[..., Any]] = {"box": simulate, "tracks": tracks}
    make: Callable[..., Any] = made.get(drawn_as, outlines)
    known = [name for name in inspect.signature(make).parameters if name not in OWN]
    for name in example.scene:
        if name not in known:
            kind = "argument of a scene"
            raise UnknownNameError.among(kind, name, known, where=f"scene.{name}")
    annotators = {name: _habits(texts, drawn_as) for name, texts in example.annotators.items()}
    drawn: dict[str, Any] = {"drawn_as": drawn_as} if make is outlines else {}
    drawn["n_frames" if make is tracks else "n_images"] = example.images
    try:
        return make(annotators, rng=example.seed, **drawn, **example.scene)
    except (TypeError, ValueError) as error:
        if isinstance(error, AnnqcError):
            raise
        what = "an argument of the scene has a value that a simulation cannot use"
        raise SpecError(what, where="scene", found=str(error)) from None


def _habits(
    texts: tuple[str, ...], drawn_as: DrawnAs
) -> tuple[Habit | OutlineHabit | TrackHabit, ...]:
    from annqc.simulate import Habit
    from annqc.simulate.outline_phrases import parse_outline_habits
    from annqc.simulate.track_phrases import parse_track_habits

    parse: Callable[[str], tuple[Habit | OutlineHabit | TrackHabit, ...]] = parse_outline_habits
    if drawn_as == "box":
        parse = Habit.parse
    elif drawn_as == "tracks":
        parse = parse_track_habits
    return tuple(habit for text in texts for habit in parse(text))


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")
