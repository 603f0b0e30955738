"""Deliveries of several vendors for the tests of the scorecard."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import annqc
from annqc import Habit

__all__ = ["EVIL", "FORMULA", "audited", "by_vendor", "vendor_of", "with_columns"]

EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x")'


def vendor_of(annotator: str) -> str:
    """Return the vendor, ``acme`` of ``acme-3``."""
    return annotator.partition("-")[0]


@cache
def by_vendor() -> annqc.Audit:
    """Audit three vendors: one good, one with a planted habit, and one with four images."""
    who = {f"good-{k}": [] for k in range(5)}
    who |= {f"loose-{k}": Habit.loose("right", px=6) for k in range(5)}
    who |= {"tiny-0": []}
    made = annqc.simulate(who, n_images=140, overlap=2, rng=3)
    work = made.work
    tiny = work.annotator_ids.tolist().index("tiny-0")
    asked = work.assigned
    some = asked[asked[:, 0] == tiny][:4, 1]
    kept = (work.table.annotator != tiny) | np.isin(work.table.image, some)
    still = (asked[:, 0] != tiny) | np.isin(asked[:, 1], some)
    work = replace(work, table=work.table.take(kept), assigned=asked[still])
    return annqc.audit(work, made.gold)


def with_columns(audit: annqc.Audit, **columns: object) -> annqc.Audit:
    """Put columns beside the annotations of the work."""
    extra = {name: np.array(list(cells), dtype=object) for name, cells in columns.items()}
    table = replace(audit.work.table, extra=extra)
    return annqc.audit(replace(audit.work, table=table), audit.gold)


@cache
def audited() -> annqc.Audit:
    """Audit the same, where a column names the vendor."""
    audit = by_vendor()
    names = audit.work.annotator_ids[audit.work.table.annotator].tolist()
    return with_columns(audit, site=[vendor_of(name) for name in names])
