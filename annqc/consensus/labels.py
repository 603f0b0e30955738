"""consensus: which label is the right one, from what several annotators said.

Nothing here is called truth: where most annotators share a mistake, so does every method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from annqc.consensus.votes import PRIOR_CLASS, Fit, Given, majority, one_coin, votes
from annqc.errors import TableError, UnknownNameError
from annqc.kernels._jit import Engine, check_engine
from annqc.kernels.labels import expect, gather_counts, pays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["LABEL_METHODS", "LabelConsensus", "LabelMethod", "label_consensus"]

LabelMethod = Literal["map_dawid_skene", "majority", "one_coin", "dawid_skene"]

LABEL_METHODS: Final[tuple[str, ...]] = get_args(LabelMethod)

PRIOR: Final = 0.5
"""Labels that an annotator is taken to have given beforehand, of every kind to every truth."""
PRIOR_RIGHT: Final = 3.0
"""And as many more of the right kind."""
FLOOR: Final = 1e-10
"""What a count of plain Dawid-Skene is at the least, so that nothing is impossible."""
SHOWN: Final = 1e-6
"""Labels that are less likely are not listed."""
MOST_CELLS: Final = 200_000_000
"""Cells of the confusion matrices of all annotators together: 1.6 GB, and twice that at work."""
CHUNK: Final = 1 << 18
"""Numbers looked at in one go."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class LabelConsensus:
    """The most likely label of every item, and what that says about the annotators.

    Attributes
    ----------
    label : (n,) int64
        The most likely label; of several equal ones the first. -1 where nobody said anything.
    probability : (n,) float64
        How likely it is, by the model; NaN where nobody said anything. For ``majority`` the share
        of the votes.
    tied : (n,) bool
        Whether another label is just as likely.
    offsets : (n + 1,) int64
        The listed labels of item i stand at ``offsets[i]`` up to ``offsets[i + 1]``.
    listed : (q,) int64
        Labels with a probability of a millionth at least, ascending within an item.
    listed_probability : (q,) float64
        Their probabilities. What an item lacks to 1 is spread over the labels that are not listed.
    class_prior : (k,) float64
        Share of the items that have each true label.
    confusion : (a, k, k) float64 or None
        Probability that an annotator says the last, where the middle one is right. None for
        ``majority`` and ``one_coin``.
    accuracy : (a,) float64
        Probability that the annotator's labels are right, averaged over the labels they gave; NaN
        for those who gave none.
    iterations : int
        How many it took.
    converged : bool
        Whether the last of them changed no probability of the model by more than the tolerance.
    """

    label: Ints
    probability: Floats
    tied: Bools
    offsets: Ints
    listed: Ints
    listed_probability: Floats
    class_prior: Floats
    confusion: Floats | None
    accuracy: Floats
    iterations: int
    converged: bool


def label_consensus(
    item: Array,
    annotator: Array,
    label: Array,
    *,
    n_items: int | None = None,
    n_annotators: int | None = None,
    n_labels: int | None = None,
    method: LabelMethod = "map_dawid_skene",
    max_iterations: int = 100,
    tol: float = 1e-6,
    engine: Engine = "auto",
) -> LabelConsensus:
    """Weigh what annotators said by how often they are right, and learn that from the same labels.

    Parameters
    ----------
    item, annotator, label : (m,) array_like of int
        Who said what of what, as codes from 0. Somebody may speak of an item more than once.
    n_items, n_annotators, n_labels : int, optional
        How many there are; as many as the codes say, if not given.
    method : {"map_dawid_skene", "majority", "one_coin", "dawid_skene"}, optional
        See Notes.
    max_iterations : int, optional
        Most iterations.
    tol : float, optional
        Iterations end when no probability of the model changes by more. Below 0: never earlier.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute; the results agree to rounding.

    Returns
    -------
    LabelConsensus
        Items, annotators and labels keep their codes.

    Raises
    ------
    TableError
        The columns differ in length, a code is not one, or there are too many annotators and labels
        for a confusion matrix each.
    UnknownNameError
        There is no such method or engine.

    Notes
    -----
    ``map_dawid_skene`` gives every annotator a matrix of who-is-taken-for-whom (Dawid and Skene,
    1979), estimated with prior counts of 0.5 everywhere and 3 more on the diagonal, and 1 for every
    true label. ``dawid_skene`` is the same without priors: with few labels an annotator it is far
    worse than a plain majority, and so it is never the default. ``one_coin`` gives every annotator
    one accuracy, with prior counts of 4 right and 1 wrong, and spreads mistakes evenly. All three
    start from the shares of the votes. ``majority`` is those shares.

    Examples
    --------
    >>> item, who = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    >>> found = label_consensus(item, who, [0, 0, 1, 1, 1, 1, 0, 0, 0])
    >>> found.label.tolist(), found.converged
    ([0, 1, 0], True)
    """
    check_engine(engine)
    if method not in LABEL_METHODS:
        what = "way to a consensus of labels"
        raise UnknownNameError.among(what, method, LABEL_METHODS)
    given = _sorted(item, annotator, label, n_items, n_annotators, n_labels)
    if not len(given.label):
        return _assembled(given, _nothing(given))
    if method == "majority":
        return _assembled(given, majority(given))
    if method == "one_coin":
        return _assembled(given, one_coin(given, max_iterations, tol))
    plain = method == "dawid_skene"
    return _assembled(given, _dawid_skene(given, max_iterations, tol, engine, plain=plain))


def _sorted(
    item: Array,
    annotator: Array,
    label: Array,
    n_items: int | None,
    n_annotators: int | None,
    n_labels: int | None,
) -> Given:
    """Check the columns and sort them by item."""
    columns = [np.asarray(one) for one in (item, annotator, label)]
    lengths = [len(one) for one in columns]
    if len(set(lengths)) > 1:
        what = "the columns of the labels differ in length"
        raise TableError(what, expected="one item, annotator and label a row", found=str(lengths))
    most = []
    names = ("item", "annotator", "label")
    for name, column, limit in zip(names, columns, (n_items, n_annotators, n_labels), strict=True):
        seen = int(column.max(initial=-1)) + 1
        n = seen if limit is None else limit
        if len(column) and (column.dtype.kind not in "iu" or column.min() < 0 or seen > n):
            what = f"the column {name} holds what is no code"
            bounds = "0 or more" if limit is None else f"0 to {limit - 1}"
            found = f"{column.min()} to {column.max()} ({column.dtype})"
            raise TableError(what, expected=f"whole numbers, {bounds}", found=found)
        most.append(n)
    items, who, said = (one.astype(np.int64, copy=False) for one in columns)
    order = np.argsort(items, kind="stable")
    items = items[order]
    starts = np.flatnonzero(np.diff(items, prepend=-1))
    return Given(
        items=items[starts],
        starts=np.append(starts, len(items)).astype(np.int64),
        annotator=who[order],
        label=said[order],
        n_items=most[0],
        n_annotators=most[1],
        n_labels=most[2],
    )


def _nothing(given: Given) -> Fit:
    none, prior = np.empty(0, dtype=np.int64), np.full(given.n_labels, np.nan)
    return Fit(none, none, np.empty(0), prior, None, 0, converged=True)


def _dawid_skene(
    given: Given, max_iterations: int, tol: float, engine: Engine, *, plain: bool
) -> Fit:
    """Alternate between the confusion matrices and the labels."""
    k, a = given.n_labels, given.n_annotators
    if a * k * k > MOST_CELLS:
        what = "too many annotators and labels for a confusion matrix of each annotator"
        found = f"{a} annotators and {k} labels: {a * k * k:,} cells"
        hint = "choose the method 'one_coin', or put rare labels together"
        raise TableError(what, expected=f"at most {MOST_CELLS:,} cells", found=found, hint=hint)
    code = given.annotator * k + given.label
    used = np.zeros((a * k, 1), dtype=np.bool_)
    used[code] = True
    kernel = pays(engine, n_given=len(code), n_labels=k, iterations=max_iterations)
    table, classes = np.zeros((a * k, k)), np.zeros(k)
    row, label, share = votes(given)
    for first, last in _chunks(given):
        shares = np.zeros((last - first, k))
        part = slice(*np.searchsorted(row, [first, last]))
        shares[row[part] - first, label[part]] = share[part]
        gather_counts(given.starts[first : last + 1], code, shares, table, classes, kernel=kernel)
    model = _model(table, classes, used, plain=plain)
    iterations, converged = 0, False
    for iterations in range(1, max_iterations + 1):  # noqa: B007 - told to the caller
        table, classes = np.zeros((a * k, k)), np.zeros(k)
        logs = _logs(model)
        for starts, p in _posteriors(given, code, logs, kernel=kernel):
            gather_counts(starts, code, p, table, classes, kernel=kernel)
        old, model = model, _model(table, classes, used, plain=plain)
        change = max(float(abs(new - was).max()) for new, was in zip(model, old, strict=True))
        if change <= tol:
            converged = True
            break
    rows, labels, values, done = [], [], [], 0
    # Like every iteration before, the last one ends with the matrices of the posteriors that are
    # given out; those belong to the matrices before it.
    for _, p in _posteriors(given, code, logs, kernel=kernel) if iterations else ():
        i, t = np.nonzero(p >= SHOWN)
        rows.append(i + done)
        labels.append(t)
        values.append(p[i, t])
        done += len(p)
    if iterations:
        row, label = np.concatenate(rows), np.concatenate(labels)
        share = np.concatenate(values)
    confusion = model[0].reshape(a, k, k).transpose(0, 2, 1)
    return Fit(row, label, share, model[1], confusion, iterations, converged)


def _model(table: Floats, classes: Floats, used: Bools, *, plain: bool) -> tuple[Floats, Floats]:
    """Turn counts into probabilities: of what is said, given the truth, and of the truth."""
    k = len(classes)
    if plain:
        counts = np.maximum(table, FLOOR * used).reshape(-1, k, k)
        seen = np.maximum(classes, FLOOR)
    else:
        counts = table.reshape(-1, k, k) + (PRIOR + PRIOR_RIGHT * np.eye(k))
        seen = classes + PRIOR_CLASS
    total = counts.sum(axis=1, keepdims=True)
    np.divide(counts, total, out=counts, where=total > 0)
    return counts.reshape(-1, k), seen / seen.sum()


def _logs(model: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore"):  # rows of labels that an annotator never gave are not read
        return np.log(model[0]), np.log(model[1])


def _chunks(given: Given) -> Iterator[tuple[int, int]]:
    """Cut the items into runs of about `CHUNK` numbers, counting labels given."""
    load = given.starts * given.n_labels
    n, first = len(given.items), 0
    while first < n:
        last = int(np.searchsorted(load, load[first] + CHUNK, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield first, last
        first = last


def _posteriors(
    given: Given, code: Ints, logs: tuple[Floats, Floats], *, kernel: bool
) -> Iterator[tuple[Ints, Floats]]:
    """Give out the posteriors of one chunk after the other; each lasts until the next."""
    chunks = list(_chunks(given))
    room = np.empty((max(last - first for first, last in chunks), given.n_labels))
    for first, last in chunks:
        starts = given.starts[first : last + 1]
        out = room[: last - first]
        expect(starts, code, *logs, out, kernel=kernel)
        yield starts, out


def _assembled(given: Given, fit: Fit) -> LabelConsensus:
    """Say the most likely label of each item, and how often each annotator is right."""
    n = given.n_items
    kept = fit.probability >= SHOWN
    row, label, p = fit.row[kept], fit.label[kept], fit.probability[kept]
    item = given.items[row]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(item, minlength=n))]).astype(np.int64)
    best, most, tied = np.full(n, -1), np.full(n, np.nan), np.zeros(n, dtype=np.bool_)
    if len(row):
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        top = np.maximum.reduceat(p, starts)
        equal = np.flatnonzero(p >= top[row] - 1e-12)
        first = equal[np.flatnonzero(np.diff(row[equal], prepend=-1))]
        best[given.items], most[given.items] = label[first], top
        tied[given.items] = np.bincount(row[equal]) > 1
    k = given.n_labels
    place = np.searchsorted(row * k + label, given.item * k + given.label)
    place = np.minimum(place, max(len(row) - 1, 0))
    right = np.zeros(len(given.label))
    if len(row):
        right = np.where((row[place] == given.item) & (label[place] == given.label), p[place], 0.0)
    with np.errstate(invalid="ignore"):
        accuracy = np.bincount(given.annotator, right, given.n_annotators) / np.bincount(
            given.annotator, minlength=given.n_annotators
        )
    return LabelConsensus(
        label=best,
        probability=most,
        tied=tied,
        offsets=offsets,
        listed=label,
        listed_probability=p,
        class_prior=fit.class_prior,
        confusion=fit.confusion,
        accuracy=accuracy,
        iterations=fit.iterations,
        converged=fit.converged,
    )
