"""The rules of matching, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args

from annqc.errors import SpecError, UnknownNameError

__all__ = ["MatchPolicy", "Method", "resolve_policy"]

Method = Literal["optimal", "coco", "cvat-classic", "cvat-2026"]

COUNTING_IOU: Final[dict[str, float]] = {
    "optimal": 0.5,
    "coco": 0.5,
    "cvat-classic": 0.4,
    "cvat-2026": 0.4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPolicy:
    """How a reference and a candidate are paired.

    Two thresholds, because two questions: `iou` decides who counts as found, `pair_iou` which boxes
    are compared edge by edge. Offsets gated by the counting threshold would be biased.

    Parameters
    ----------
    method : {"optimal", "coco", "cvat-classic", "cvat-2026"}, optional
        ``optimal``: the largest total IoU over one-to-one pairs of the same category, then of any
        category among what is left (mislabelled). ``coco``: greedy by score as pycocotools'
        COCOeval. ``cvat-classic``: the largest total IoU over all categories at once.
        ``cvat-2026``: same category first, then any, as CVAT does since 2026.
    iou : float, optional
        Counting threshold in (0, 1]. None for 0.5, or 0.4 with CVAT's policies.
    pair_iou : float, optional
        Pairing threshold for offsets in (0, 1].
    gate : float, optional
        Least overlap along the other axis for a pair to enter an offset test, in [0, 1].
    ambiguity : float, optional
        A pair is ambiguous where either box has another partner whose IoU comes this close to the
        pair's.
    low_overlap : float, optional
        Matched pairs below this IoU are listed as `Matches.low_overlap`, as CVAT does.

    Raises
    ------
    UnknownNameError
        Where there is no such method.
    SpecError
        Where a number is out of its range.

    Examples
    --------
    >>> MatchPolicy(method="cvat-2026").counting_iou
    0.4
    """

    method: Method = "optimal"
    iou: float | None = None
    pair_iou: float = 0.1
    gate: float = 0.5
    ambiguity: float = 0.1
    low_overlap: float = 0.8

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            kind = "match method"
            raise UnknownNameError.among(kind, self.method, get_args(Method))
        self._check("iou", self.counting_iou, open_at_zero=True)
        self._check("pair_iou", self.pair_iou, open_at_zero=True)
        self._check("gate", self.gate)
        self._check("ambiguity", self.ambiguity)
        self._check("low_overlap", self.low_overlap)

    @staticmethod
    def _check(name: str, value: object, *, open_at_zero: bool = False) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            least_met = value > 0 if open_at_zero else value >= 0
            if least_met and value <= 1:
                return
        what = f"the match parameter {name} is out of range"
        expected = "a number above 0 and up to 1" if open_at_zero else "a number from 0 to 1"
        raise SpecError(what, where=f"match.{name}", expected=expected, found=repr(value))

    @property
    def counting_iou(self) -> float:
        """The counting threshold in force."""
        return COUNTING_IOU[self.method] if self.iou is None else self.iou


def resolve_policy(policy: MatchPolicy | None, changes: dict[str, Any]) -> MatchPolicy:
    """Return the policy with some of its parameters changed.

    Parameters
    ----------
    policy : MatchPolicy or None
        None for the defaults.
    changes : dict of str to object
        Parameters by name.

    Raises
    ------
    UnknownNameError
        Where a parameter does not exist.
    """
    known = [one.name for one in fields(MatchPolicy)]
    for name in changes:
        if name not in known:
            kind = "match parameter"
            raise UnknownNameError.among(kind, name, known)
    base = MatchPolicy() if policy is None else policy
    return replace(base, **changes) if changes else base
