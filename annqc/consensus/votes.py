"""consensus: labels sorted by item, and what needs no more than counts of votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Floats, Ints

__all__ = ["PRIOR_CLASS", "Fit", "Given", "majority", "one_coin", "votes"]

PRIOR_CLASS: Final = 1.0
"""Items of every true label that are taken to have been seen beforehand."""
COIN_RIGHT: Final = 4.0
COIN_WRONG: Final = 1.0
"""Right and wrong labels beforehand, where an annotator has one accuracy for all."""


class Given(NamedTuple):
    """The labels sorted by item; items without any are left out."""

    items: Ints
    starts: Ints
    annotator: Ints
    label: Ints
    n_items: int
    n_annotators: int
    n_labels: int

    @property
    def item(self) -> Ints:
        """Position of the item of each label."""
        return np.repeat(np.arange(len(self.items)), np.diff(self.starts))


class Fit(NamedTuple):
    """What a method has found: posteriors of the items that have labels, listed."""

    row: Ints
    label: Ints
    probability: Floats
    class_prior: Floats
    confusion: Floats | None
    iterations: int
    converged: bool


def votes(given: Given) -> tuple[Ints, Ints, Floats]:
    """Return each label that somebody gave to an item, and its share of the votes.

    Parameters
    ----------
    given : Given
        The labels.
    """
    k = given.n_labels
    cells, n = np.unique(given.item * k + given.label, return_counts=True)
    row, label = np.divmod(cells, k)
    return row, label, n / np.diff(given.starts)[row]


def majority(given: Given) -> Fit:
    """Take the shares of the votes for probabilities.

    Parameters
    ----------
    given : Given
        The labels.
    """
    row, label, share = votes(given)
    prior = np.bincount(label, share, given.n_labels) / len(given.items)
    return Fit(row, label, share, prior, None, 0, converged=True)


def one_coin(given: Given, max_iterations: int, tol: float) -> Fit:
    """Alternate between one accuracy an annotator and the labels.

    Only labels that somebody gave to an item are looked at one by one.

    Parameters
    ----------
    given : Given
        The labels.
    max_iterations : int
        Most iterations.
    tol : float
        They end when no accuracy and no prior changes by more.
    """
    row, label, p = votes(given)
    k, n = given.n_labels, len(given.items)
    cells = row * k + label
    cell_of = np.searchsorted(cells, given.item * k + given.label)
    given_by = np.bincount(given.annotator, minlength=given.n_annotators)
    rest = np.zeros(n)
    prior, accuracy = np.full(k, 1 / k), np.full(given.n_annotators, 0.5)
    iterations, converged = 0, False
    for iterations in range(1, max_iterations + 1):  # noqa: B007 - told to the caller
        # What was not said may be right as well: its share of an item is the prior's times `rest`.
        unsaid = prior * (rest.sum() - np.bincount(label, rest[row], k))
        seen = np.bincount(label, p, k) + unsaid + PRIOR_CLASS
        right = np.bincount(given.annotator, p[cell_of], given.n_annotators)
        old = prior, accuracy
        prior = seen / seen.sum()
        accuracy = (right + COIN_RIGHT) / (given_by + COIN_RIGHT + COIN_WRONG)
        wrong = np.log1p(-accuracy) - np.log(max(k - 1, 1))
        base = np.bincount(given.item, wrong[given.annotator], n)
        odds = (np.log(accuracy) - wrong)[given.annotator]
        level = base[row] + np.bincount(cell_of, odds, len(cells)) + np.log(prior[label])
        top = np.maximum(np.maximum.reduceat(level, np.searchsorted(row, np.arange(n))), base)
        p, other = np.exp(level - top[row]), np.exp(base - top)
        left = np.maximum(1 - np.bincount(row, prior[label], n), 0.0)
        total = np.bincount(row, p, n) + other * left
        p, rest = p / total[row], other / total
        change = max(float(abs(a - b).max()) for a, b in zip((prior, accuracy), old, strict=True))
        if change <= tol:
            converged = True
            break
    return Fit(row, label, p, prior, None, iterations, converged)
