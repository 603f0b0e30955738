"""judge: the measures that a rule may name, one registered function each."""

from __future__ import annotations

# Importing them registers the measures, in the order in which they are listed.
from annqc.judge.rules import offsets, rates, outlines, tracks, tracking  # isort: skip
from annqc.judge.rules import counts, coverage  # isort: skip

__all__ = ["counts", "coverage", "offsets", "outlines", "rates", "tracking", "tracks"]
