"""Files -> `Dataset`: the first step of read -> match -> measure -> infer -> judge -> report.

This package can be called: ``annqc.read(source, ...)`` is the function ``annqc.read.read``, whose
arguments ``help(annqc.read.read)`` explains. It takes a path, a glob, a folder, a list of those or
a DataFrame, sniffs the format and gives one `annqc.tables.Dataset`:

    gold = annqc.read("gold.json")
    work = annqc.read("vendor/*.json", annotator="stem")

``annqc.read.lint`` lists what is wrong with an input, ``annqc.read.KINDS`` explains each kind of
problem, ``annqc.read.formats()`` names the formats and ``annqc.read.register_reader`` adds one.

One module a format stands behind a registry (`annqc.read.registry`); whatever they share stands
beside them. Nothing heavy is imported before a reader needs it.
"""

from __future__ import annotations

from annqc.read._read import formats, lint, read
from annqc.read.problems import KINDS
from annqc.read.registry import register_reader

__all__ = ["KINDS", "formats", "lint", "read", "register_reader"]
