"""consensus: the normal equations of annotators' offsets, with the objects' edges taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from annqc.consensus._rows import Rows
    from annqc.tables import Floats

__all__ = ["Laplacian", "laplacian"]


@dataclass(frozen=True, eq=False, slots=True)
class Laplacian:
    """Sum over objects of ``diag(w) - w w' / (sum of w + gold)``.

    Attributes
    ----------
    diagonal : (A,) float64
        Sum of the weights of each annotator.
    weights : (p, A) sparse
        Weights of each object's annotators.
    share : (p,) float64
        One over the precision of each object's edge, that of the gold included.
    """

    diagonal: Floats
    weights: Any
    share: Floats

    def times(self, vectors: Floats) -> Floats:
        """Multiply with columns, (A, k)."""
        of_object = self.weights @ vectors
        of_object *= self.share[:, None]
        product: Floats = self.diagonal[:, None] * vectors - self.weights.T @ of_object
        return product

    def dense(self) -> Floats:
        """Return the matrix, (A, A)."""
        scaled = self.weights.multiply(np.sqrt(self.share)[:, None]).tocsr()
        matrix: Floats = np.diag(self.diagonal) - (scaled.T @ scaled).toarray()
        return matrix

    def solve(self, right: Floats, *, tolerance: float = 1e-9, steps: int = 500) -> Floats:
        """Solve for columns by conjugate gradients, scaled by the diagonal.

        Where there is no gold the matrix is singular: constants of a component are in its kernel.
        The right side must then sum to zero over each component; the solution is one of many.

        Parameters
        ----------
        right : (A, k) float64
            Right sides.
        tolerance : float
            Residual relative to the right side.
        steps : int
            Steps at most.

        Returns
        -------
        (A, k) float64
        """
        scale = 1 / np.where(self.diagonal > 0, self.diagonal, 1.0)[:, None]
        found = np.zeros_like(right)
        left_over = right.copy()
        direction = scale * left_over
        size = (left_over * direction).sum(axis=0)
        first = np.maximum(size, np.finfo(float).tiny)
        for _ in range(steps):
            image = self.times(direction)
            curve = (direction * image).sum(axis=0)
            step = np.divide(size, curve, out=np.zeros_like(size), where=curve > 0)
            found += step * direction
            left_over -= step * image
            fresh = scale * left_over
            after = (left_over * fresh).sum(axis=0)
            if (after <= tolerance**2 * first).all():
                break
            ratio = np.divide(after, size, out=np.zeros_like(size), where=size > 0)
            direction = fresh + ratio * direction
            size = after
        return found


def laplacian(rows: Rows, weight: Floats, gold_precision: Floats) -> Laplacian:
    """Build the normal equations.

    Parameters
    ----------
    rows : Rows
        Who drew what.
    weight : (n,) float64
        Weight of each row.
    gold_precision : (p,) float64
        Precision of the gold of each object, 0 where there is none.
    """
    from scipy.sparse import csr_array

    shape = (len(rows.start), rows.n_annotators)
    ends = np.append(rows.start, len(rows.row))
    weights = csr_array((weight, rows.who, ends), shape=shape)
    share = 1 / (rows.by_object(weight) + gold_precision)
    return Laplacian(rows.by_annotator(weight), weights, share)
