"""The public surface: `audit`, `lint`, `load`, and the `Audit` that ties the rooms together.

An `Audit` is one pass through read -> match -> measure -> infer -> judge -> report: whatever is
asked of it is worked out when it is first asked for, and once.
"""

from __future__ import annotations

from annqc.api.audited import Audit
from annqc.api.entry import audit, lint, load

__all__ = ["Audit", "audit", "lint", "load"]
