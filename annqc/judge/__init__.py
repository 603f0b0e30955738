"""judge: findings and a spec become a judgement: pass, fail or undecided, each with its sentence.

`model` is what a spec says and `spec` reads it; `registry` holds the measures that a rule may name
and `rules` are those there are; `verdicts` applies them; `wording` puts findings into words. The
judge takes anything that is `registry.Measured` and knows nothing of how an audit is run.
"""

from __future__ import annotations

from annqc.judge import rules as _rules  # noqa: F401 - importing it registers the measures
from annqc.judge.model import Rule, Spec
from annqc.judge.registry import measures, register_measure
from annqc.judge.spec import load_spec
from annqc.judge.verdicts import Check, Judgement, judge
from annqc.measure.tolerance import Tolerance

__all__ = [
    "Check",
    "Judgement",
    "Rule",
    "Spec",
    "Tolerance",
    "judge",
    "load_spec",
    "measures",
    "register_measure",
]
