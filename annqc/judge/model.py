"""judge: what a spec says, once it is read. `annqc.judge.spec` reads it."""

from __future__ import annotations

import glob
import os
from typing import Final

import msgspec

from annqc.match.policy import MatchPolicy  # noqa: TC001 - msgspec resolves the types of fields
from annqc.measure.tolerance import Tolerance  # noqa: TC001

__all__ = ["SUFFIX", "VERSION", "Header", "Rule", "Scalar", "Spec"]

VERSION: Final = 1
SUFFIX: Final = ".annqc.toml"
"""How the name of a spec file ends."""

Scalar = str | int | float | bool


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table ``[annqc]``.

    Attributes
    ----------
    version : int
        Version of the language; 1.
    gold, candidate : tuple of str
        Files, folders or patterns, relative to the spec file; empty where the caller brings them.
    annotator : str or None
        Who drew: ``"stem"``, ``"parent"``, a field, or ``"=name"``, as `annqc.read` takes it.
    """

    version: int = VERSION
    gold: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()
    annotator: str | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table ``[[rule]]``: one thing that is asked.

    Attributes
    ----------
    id : str
        Name of the rule, unique in its spec.
    measure : str
        What is asked; see `annqc.judge.measures`.
    by : tuple of str
        Columns; every combination of their values is a group that must pass.
    where : dict of str to tuple
        Only groups with one of these values in this column. Each value is a group of its own.
    tolerance : Tolerance or None
        Largest offset that is no bias; None for that of the audit.
    confidence : float or None
        Level of the intervals; None for that of the audit.
    at_least, at_most : float or None
        The limit, for measures that have one.
    """

    id: str
    measure: str
    by: tuple[str, ...] = ("annotator",)
    where: dict[str, tuple[Scalar, ...]] = {}
    tolerance: Tolerance | None = None
    confidence: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns to group by: those of ``by``, then those that only ``where`` names."""
        return (*self.by, *(name for name in self.where if name not in self.by))


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole spec.

    Attributes
    ----------
    annqc : Header
        Version and files.
    match : MatchPolicy or None
        Rules of matching; None where the spec leaves them to the audit.
    rules : tuple of Rule
        At least one.
    path : str or None
        File it was read from.
    lines : dict of str to int
        Line of each rule by id; empty where the spec was no text.
    """

    annqc: Header
    match: MatchPolicy | None
    rules: tuple[Rule, ...]
    path: str | None = None
    lines: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Name for messages."""
        return "<spec>" if self.path is None else self.path

    @property
    def is_profile(self) -> bool:
        """Whether it names no files: a profile, for any delivery."""
        return not (self.annqc.gold or self.annqc.candidate)

    @property
    def gold(self) -> list[str]:
        """The gold's paths, seen from the folder of the spec file."""
        return [self._locate(text) for text in self.annqc.gold]

    @property
    def candidate(self) -> list[str]:
        """The candidate's paths, seen from the folder of the spec file."""
        return [self._locate(text) for text in self.annqc.candidate]

    def _locate(self, text: str) -> str:
        if self.path is None or "://" in text:
            return text
        folder = os.path.dirname(os.path.abspath(self.path))  # noqa: PTH100, PTH120 - Path would drop a final slash
        plain = os.path.join(folder, os.path.expanduser(text))  # noqa: PTH111, PTH118
        if not glob.has_magic(text) or os.path.exists(plain):  # noqa: PTH110
            return plain
        return os.path.join(glob.escape(folder), os.path.expanduser(text))  # noqa: PTH111, PTH118
