"""A made-up audit for the judge, so that every verdict can be staged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from annqc.judge import load_spec
from annqc.match import MatchPolicy
from annqc.measure.tolerance import Tolerance
from annqc.tables import QUANTITIES

NAN = float("nan")
ENDS = {"estimate": "", "ci_low": "_low", "ci_high": "_high"}
OTHER_VALUES = {
    "category": ("person", "bus"),
    "candidate_category": ("person", "bus"),
    "size": ("small", "medium", "large"),
    "image_id": ("7.jpg", "8.jpg"),
}
"""Values that columns have without a row to judge."""


@dataclass(frozen=True)
class Settings:
    policy: MatchPolicy = field(default_factory=MatchPolicy)
    tolerance: Tolerance = field(default_factory=Tolerance)
    confidence: float = 0.95


def finding(
    quantity: str, verdict: str = "clean", size: float = 0.1, **other: Any
) -> dict[str, Any]:
    """One row of findings, a tolerance being 2 px or 4 %."""
    row: dict[str, Any] = {"quantity": quantity}
    for suffix, scale in (("", 1.0), ("_px", 2.0), ("_rel", 0.04)):
        half = 0.2 if suffix != "_rel" else 0.9  # steadier in pixels
        row[f"estimate{suffix}"] = size * scale
        row[f"ci_low{suffix}"] = (size - half) * scale
        row[f"ci_high{suffix}"] = (size + half) * scale
    row |= {
        "n": 100,
        "n_clusters": 40,
        "p_value": 0.5,
        "p_adjusted": 0.5,
        "verdict": verdict,
        "n_more": NAN,
        "flags": "",
        "status": "ok",
        "margin": 2.0 if quantity in {"dw", "dh"} else 1.0,
        "collective": NAN,
        "excess": size,
    }
    return row | other


@dataclass
class Staged:
    """An audit that says what it was told to say, and remembers what it was asked."""

    findings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    issues: tuple[Any, ...] = ()
    parameters: Settings = field(default_factory=Settings)
    asked: list[Any] = field(default_factory=list)
    tracks: bool = False
    evidence: dict[str, list[str]] = field(default_factory=dict)
    looked: list[Any] = field(default_factory=list)

    @property
    def matches(self):
        images = SimpleNamespace(id=np.array(["7.jpg", "8.jpg"], dtype=object))
        table = SimpleNamespace(track=np.zeros(1, dtype=np.int64) if self.tracks else None)
        side = SimpleNamespace(table=table, image_table=images, authors_known=True, n_dropped=0)
        side.annotator_ids = np.array(list(self.findings), dtype=object)
        names = ("person", "bus")
        return SimpleNamespace(category_names=names, reference=side, candidate=side)

    def bias_columns(self, by=("annotator",)):
        assert tuple(by) == ("annotator",)
        rows = []
        for who, given in self.findings.items():
            special = {row["quantity"]: row for row in given}
            rows += [{"annotator": who, **special.get(q, finding(q))} for q in QUANTITIES]
        if not rows:
            template = _columns([{"annotator": "", **finding("dx")}])
            return {name: column[:0] for name, column in template.items()}
        return _columns(rows)

    def rate_columns(self, name, by=("annotator",), *, limit, at_least, kinds=()):
        scores = self.scores or [{"annotator": who} for who in self.findings]
        rows = []
        for row in scores:
            numbers = {end: row.get(f"{name}{other}", NAN) for end, other in ENDS.items()}
            beyond = numbers["ci_high"] < limit if at_least else numbers["ci_low"] > limit
            numbers["p_value"] = row.get(f"{name}_p", 1e-6 if beyond else 1.0)
            keys = {one: row[one] for one in by}
            rows.append({**keys, **numbers, "n_clusters": row.get(f"{name}_n_clusters", 0)})
        return _columns(rows)

    def known_values(self, name):
        known = {str(row[name]) for row in self.scores if name in row}
        known |= set(self.findings) if name == "annotator" else set()
        return known | set(OTHER_VALUES.get(name, ()))

    def worst(self, group, *, quantity=None, kinds=(), most=5):
        self.looked.append({"group": dict(group), "quantity": quantity, "kinds": tuple(kinds)})
        return [{"text": text} for text in self.evidence.get(str(group.get("annotator")), ())]

    def with_parameters(self, *, tolerance=None, confidence=None, policy=None):
        given = {"tolerance": tolerance, "confidence": confidence, "policy": policy}
        changes = {name: value for name, value in given.items() if value is not None}
        self.asked.append(changes)
        return replace(self, parameters=replace(self.parameters, **changes))


def _columns(rows):
    names = rows[0]
    out = {}
    for name in names:
        values = [row[name] for row in rows]
        text = any(isinstance(value, str) for value in values)
        out[name] = np.array(values, dtype=object if text else None)
    return out


def rate(
    who: Any, estimate: float, low: float, high: float, name: str = "recall"
) -> dict[str, Any]:
    return {
        "annotator": who,
        name: estimate,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_n_clusters": 40,
        "n_images": 45,
    }


def one_rule(measure: str, **given: Any):
    """Build a spec of one rule."""
    rule = {"id": "x", "measure": measure, **given}
    return load_spec({"annqc": {"version": 1}, "rule": [rule]})
