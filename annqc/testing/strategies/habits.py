"""testing: strategies for habits, annotators who have them, and the work that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from annqc.errors import SpecError, UnknownNameError
from annqc.simulate.habits import Habit
from annqc.simulate.simulation import CATEGORIES, simulate
from annqc.testing.strategies.tables import names

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hypothesis.strategies import SearchStrategy

    from annqc.simulate.simulation import Simulation

__all__ = ["annotators", "habits", "simulations"]

LARGEST_SEED: Final = 2**32 - 1
EDGES: Final = st.sampled_from(["left", "top", "right", "bottom"])
PX: Final = st.integers(1, 80).map(lambda k: k / 8)
MOVES: Final = st.integers(-80, 80).filter(bool).map(lambda k: k / 8)
RATES: Final = st.integers(1, 50).map(lambda k: k / 100)

KINDS: Final[dict[str, SearchStrategy[Habit]]] = {
    "loose": st.builds(lambda edge, px: Habit.loose(edge, px=px), EDGES, PX),
    "tight": st.builds(lambda edge, px: Habit.tight(edge, px=px), EDGES, PX),
    "shift": st.builds(lambda dx, dy: Habit.shift(dx=dx, dy=dy), MOVES, MOVES),
    "growth": st.builds(lambda dw, dh: Habit.growth(dw=dw, dh=dh), MOVES, MOVES),
    "jitter": PX.map(lambda px: Habit.jitter(px=px)),
    "tails": st.integers(2, 10).map(Habit.tails),
    "gross": RATES.map(Habit.gross),
    "misses": RATES.map(Habit.misses),
    "extras": RATES.map(Habit.extras),
    "wrong_labels": RATES.map(Habit.wrong_labels),
    "duplicates": RATES.map(Habit.duplicates),
    "merges": RATES.map(Habit.merges),
    "splits": RATES.map(Habit.splits),
    "rounding": st.integers(1, 8).map(lambda step: Habit.rounding(step=step)),
}
"""Name of a constructor of `annqc.Habit` -> habits that it makes: up to 10 px, up to half."""


def habits(
    kinds: Collection[str] | None = None, *, categories: Sequence[str] = ()
) -> SearchStrategy[Habit]:
    """Draw habits.

    Parameters
    ----------
    kinds : collection of str, optional
        Constructors of `annqc.Habit`, such as ``"loose"`` and ``"misses"``; all if not given.
    categories : sequence of str
        Categories that a habit may be limited to.

    Returns
    -------
    strategy of Habit
        Offsets of up to 10 px, rates of up to a half.

    Raises
    ------
    UnknownNameError
        Where there is no such kind.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(habits(["loose"]), lambda habit: habit.size > 2).amounts
    (('out_left', 2.125),)
    """
    for kind in KINDS if kinds is None else kinds:
        if kind not in KINDS:
            what = "kind of habit"
            raise UnknownNameError.among(what, kind, KINDS)
    any_kind = st.one_of([KINDS[kind] for kind in (KINDS if kinds is None else kinds)])
    limit: SearchStrategy[str | None] = st.sampled_from([None, *categories])
    return st.builds(_limited, any_kind, limit)


def _limited(habit: Habit, category: str | None) -> Habit:
    """Limit a habit to a category; rounding cannot be."""
    return habit if category is None or habit.kind == "rounding" else habit.only(category=category)


def annotators(
    *,
    min_size: int = 1,
    max_size: int = 3,
    kinds: Collection[str] | None = None,
    max_habits: int = 2,
    categories: Sequence[str] = (),
) -> SearchStrategy[dict[str, list[Habit]]]:
    """Draw annotators: names with habits, as `annqc.simulate` takes them.

    Parameters
    ----------
    min_size, max_size : int
        How many annotators.
    kinds, categories
        Of the habits; see `habits`.
    max_habits : int
        Most habits of one annotator; without any they are clean.

    Returns
    -------
    strategy of dict of str to list of Habit

    Examples
    --------
    >>> from hypothesis import find
    >>> sorted(find(annotators(), lambda found: len(found) == 2).values())
    [[], []]
    """
    if not 1 <= min_size <= max_size:
        what = "there is at least one annotator, and min_size is at most max_size"
        raise SpecError(what, where="min_size, max_size", found=f"{min_size} and {max_size}")
    one = st.lists(habits(kinds, categories=categories), max_size=max_habits)
    many = names(min_size=min_size, max_size=max_size)
    return many.flatmap(lambda who: st.fixed_dictionaries(dict.fromkeys(who, one)))


def simulations(
    who: SearchStrategy[dict[str, list[Habit]]] | None = None,
    *,
    min_images: int = 1,
    max_images: int = 20,
    **scene: Any,
) -> SearchStrategy[Simulation]:
    """Draw simulated work with its gold, and what was planted in it.

    Parameters
    ----------
    who : strategy of dict of str to list of Habit, optional
        The annotators; `annotators` if not given.
    min_images, max_images : int
        How many images.
    **scene
        Further arguments of `annqc.simulate`, the same for all.

    Returns
    -------
    strategy of Simulation
        With ``gold``, ``work`` and ``planted``.

    Examples
    --------
    >>> from hypothesis import find
    >>> loose = annotators(kinds=["loose"])
    >>> made = find(simulations(loose, boxes_per_image=1), lambda made: len(made.planted) == 1)
    >>> [(one.kind, one.quantity, one.size) for one in made.planted]
    [('offset', 'out_left', 0.125)]
    """
    if "annotators" in scene or "n_images" in scene or "rng" in scene:
        what = "annotators, the number of images and the seed are drawn"
        raise SpecError(what, where="simulations", expected="who, min_images and max_images")
    if not 1 <= min_images <= max_images:
        what = "there is at least one image, and min_images is at most max_images"
        found = f"{min_images} and {max_images}"
        raise SpecError(what, where="min_images, max_images", found=found)
    if who is None:
        who = annotators(categories=tuple(scene.get("categories", CATEGORIES)))
    images = st.integers(min_images, max_images)
    seeds = st.integers(0, LARGEST_SEED)
    return st.builds(
        lambda planted, n, seed: simulate(planted, n_images=n, rng=seed, **scene),
        who,
        images,
        seeds,
    )
