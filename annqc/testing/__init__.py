"""testing: annotations under test, with pytest or without.

The asserts listed here raise an `AssertionError` that says who is off, where, by how much and how
sure that is; `annqc.testing.strategies` has hypothesis strategies for annotated data. Each name is
imported when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from annqc.testing.asserts import (
        assert_agreement,
        assert_boundary_iou,
        assert_categories_covered,
        assert_complete,
        assert_enough_evidence,
        assert_hota,
        assert_label_accuracy,
        assert_mask_iou,
        assert_mean_iou,
        assert_meets,
        assert_no_drift,
        assert_no_duplicates,
        assert_no_errors,
        assert_no_lag,
        assert_no_problems,
        assert_no_track_events,
        assert_not_worse,
        assert_outlines_unbiased,
        assert_outlines_within,
        assert_precision,
        assert_recall,
        assert_unbiased,
    )

__all__ = [
    "assert_agreement",
    "assert_boundary_iou",
    "assert_categories_covered",
    "assert_complete",
    "assert_enough_evidence",
    "assert_hota",
    "assert_label_accuracy",
    "assert_mask_iou",
    "assert_mean_iou",
    "assert_meets",
    "assert_no_drift",
    "assert_no_duplicates",
    "assert_no_errors",
    "assert_no_lag",
    "assert_no_problems",
    "assert_no_track_events",
    "assert_not_worse",
    "assert_outlines_unbiased",
    "assert_outlines_within",
    "assert_precision",
    "assert_recall",
    "assert_unbiased",
]

_HOME: Final = "annqc.testing.asserts"


def __getattr__(name: str) -> Any:
    """Import an assert when it is first used (PEP 562)."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(_HOME), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    """List the asserts, loaded or not."""
    return sorted(__all__)
