"""judge: the measures that a rule may name, one registered function each."""

from __future__ import annotations

from annqc.judge.rules import counts, offsets, rates  # importing them registers the measures

__all__ = ["counts", "offsets", "rates"]
