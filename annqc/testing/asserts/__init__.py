"""testing: asserts for plain test functions, by the rules that specs have.

`measures` has those on offsets, rates and agreement, `outlines` those on polygons and masks,
`tracks` those on videos, `counts` those that count, `specs` those that compare with an earlier run
or apply a whole spec. All of them go through `judged`: they make a rule, have it judged as a spec's
rule is, and raise what the judge says where it is not a pass.
"""

from __future__ import annotations

from annqc.testing.asserts.counts import (
    assert_categories_covered,
    assert_complete,
    assert_enough_evidence,
    assert_no_duplicates,
    assert_no_errors,
    assert_no_problems,
)
from annqc.testing.asserts.measures import (
    assert_agreement,
    assert_label_accuracy,
    assert_mean_iou,
    assert_precision,
    assert_recall,
    assert_unbiased,
)
from annqc.testing.asserts.outlines import (
    assert_boundary_iou,
    assert_mask_iou,
    assert_outlines_unbiased,
    assert_outlines_within,
)
from annqc.testing.asserts.specs import assert_meets, assert_not_worse
from annqc.testing.asserts.tracks import (
    assert_hota,
    assert_no_drift,
    assert_no_lag,
    assert_no_track_events,
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
