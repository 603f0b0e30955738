"""Files -> `Dataset`: the first step of read -> match -> measure -> infer -> judge -> report.

`read` takes any source, sniffs its format and gives one `annqc.tables.Dataset`. One module a format
stands behind a registry (`annqc.read.registry`); whatever they share stands beside them. Nothing
heavy is imported before a reader needs it.
"""

from __future__ import annotations

from annqc.read._read import formats, lint, read
from annqc.read.problems import KINDS
from annqc.read.registry import register_reader

__all__ = ["KINDS", "formats", "lint", "read", "register_reader"]
