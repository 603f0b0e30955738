"""judge: reads the spec, which says what is asked of a delivery; whole, or not at all.

A spec is TOML: a table ``[annqc]`` with the version and, if it is to run on its own, the files; a
table ``[match]`` with the rules of matching; one table ``[[rule]]`` for each thing that is asked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from annqc.errors import AnnqcError, SpecError, did_you_mean
from annqc.judge.faults import Fault, Places, faults_error, inline
from annqc.judge.fields import HEADER_FIELDS, RULE_FIELDS, range_words, typed
from annqc.judge.model import VERSION, Header, Rule, Spec
from annqc.judge.registry import find_measure
from annqc.match.policy import MatchPolicy

if TYPE_CHECKING:
    import os

__all__ = ["Rule", "Spec", "load_spec"]

_MATCH_TYPES: Final = get_type_hints(MatchPolicy) | {"method": str}
"""Types of the fields of ``[match]``; which methods there are the policy says itself."""


def load_spec(source: str | os.PathLike[str] | Mapping[str, Any] | Spec) -> Spec:
    """Read a spec.

    Parameters
    ----------
    source : path, str, mapping or Spec
        A file; TOML text (any string with a line break in it); what TOML text means, as a
        mapping; or a spec, which is returned as it is.

    Returns
    -------
    Spec

    Raises
    ------
    SpecError
        Where anything is wrong. One error lists all faults, each with its line.

    Examples
    --------
    >>> spec = load_spec({
    ...     "annqc": {"version": 1},
    ...     "rule": [{"id": "recall", "measure": "recall", "at_least": 0.95}],
    ... })
    >>> spec.rules[0].by
    ('annotator',)
    """
    if isinstance(source, Spec):
        return source
    if isinstance(source, Mapping):
        return _build(source, Places(), path=None)
    if isinstance(source, str) and "\n" in source:
        return _parse(source, path=None)
    try:
        path = Path(source)
    except TypeError:
        what = "a spec is a file, TOML text or a mapping"
        raise SpecError(what, found=type(source).__name__) from None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = "the spec cannot be read"
        raise SpecError(what, where=str(path), found=error.strerror or str(error)) from None
    except UnicodeDecodeError:
        what = "the spec is not UTF-8 text"
        raise SpecError(what, where=str(path), hint="save it as UTF-8") from None
    return _parse(text, path=str(path))


def _parse(text: str, *, path: str | None) -> Spec:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = int(at.group(1)) if at and at.group(1) else len(text.splitlines()) or None
        said = str(error)[: at.start()] if at else str(error)
        fault = Fault("", f"this is not TOML: {said[:1].lower()}{said[1:]}", line)
        raise faults_error([fault], name=path or "<spec>") from None
    return _build(table, Places(text), path=path)


def _build(table: Mapping[str, Any], places: Places, *, path: str | None) -> Spec:
    """Convert table by table and field by field, gathering faults on the way."""
    build = _Builder(places)
    spec = build.spec(table, path)
    if spec is None:
        raise faults_error(build.faults, name=path or "<spec>")
    return spec


class _Builder:
    """Converts what TOML gave, and keeps every fault."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.faults: list[Fault] = []

    def spec(self, table: Mapping[str, Any], path: str | None) -> Spec | None:
        self._unknown(table, ("annqc", "match", "rule"), "the spec", "table", ())
        header = self._header(table.get("annqc"))
        policy = self._match(table["match"]) if "match" in table else None
        rules = self._rules(table.get("rule"))
        if self.faults or header is None:
            return None
        lines = {
            rule.id: line
            for at, rule in enumerate(rules)
            if (line := self.places.line("rule", at)) is not None
        }
        return Spec(annqc=header, match=policy, rules=tuple(rules), path=path, lines=lines)

    def _header(self, given: Any) -> Header | None:
        if given is None:
            self._add(
                "", f"there is no table [annqc]; start with [annqc] and version = {VERSION}", ()
            )
            return None
        known = self._fields(given, Header.__struct_fields__, "[annqc]", ("annqc",))
        values = self._convert(known, HEADER_FIELDS, "[annqc]", ("annqc",))
        if isinstance(given, Mapping) and "version" not in given:
            self._add("[annqc]", f"version is missing; write version = {VERSION}", ("annqc",))
        return Header(**values)

    def _match(self, given: Any) -> MatchPolicy | None:
        names = [one.name for one in fields(MatchPolicy)]
        known = self._fields(given, names, "[match]", ("match",))
        good: dict[str, Any] = {}
        for name, value in known.items():
            try:
                kind = _MATCH_TYPES[name]
                expected = "a text in quotes" if kind is str else "a number"
                changed = {name: typed(value, kind, expected)}
                MatchPolicy(**changed)
            except AnnqcError as error:
                self._add(f"[match] {name}", inline(error), ("match", name))
            else:
                good |= changed
        return MatchPolicy(**good)

    def _rules(self, given: Any) -> list[Rule]:
        if given is None or given == []:
            self._add("", "there is no [[rule]], so nothing is asked", ())
            return []
        if not isinstance(given, list):
            self._add(
                "rule", "every rule starts with [[rule]], in two pairs of brackets", ("rule",)
            )
            return []
        rules: list[Rule] = []
        first: dict[str, int] = {}
        for at, table in enumerate(given):
            rule = self._rule(table, at)
            id = table.get("id") if isinstance(table, Mapping) else None
            if isinstance(id, str):
                if id in first:
                    earlier = self.places.line("rule", first[id], "id")
                    said = "" if earlier is None else f" on line {earlier}"
                    self._add(f"rule {id!r}", f"this id is taken{said}", ("rule", at, "id"))
                first.setdefault(id, at)
            if rule is not None:
                rules.append(rule)
        return rules

    def _rule(self, given: Any, at: int) -> Rule | None:
        path = ("rule", at)
        named = isinstance(given, Mapping) and isinstance(given.get("id"), str)
        where = f"rule {given['id']!r}" if named else f"rule {at + 1}"
        before = len(self.faults)
        known = self._fields(given, Rule.__struct_fields__, where, path)
        values = self._convert(known, RULE_FIELDS, where, path)
        for name in ("id", "measure"):
            if isinstance(given, Mapping) and name not in given:
                self._add(where, f"{name} is missing", path)
        if "measure" in values:
            self._kind(known, values, where, path)
        if len(self.faults) > before:
            return None
        rule = Rule(**values)
        check = find_measure(rule.measure).check
        fault = None if check is None else check(rule)
        if fault is not None:
            self._add(where, fault, path)
            return None
        return rule

    def _kind(
        self,
        given: Mapping[str, Any],
        values: dict[str, Any],
        where: str,
        path: tuple[str | int, ...],
    ) -> None:
        """Check what the rule gives against what its measure takes."""
        measure = find_measure(values["measure"])
        for name in given:
            if name not in {"id", "measure"} and name not in measure.takes:
                takes = ", ".join(one for one in Rule.__struct_fields__ if one in measure.takes)
                text = f"{measure.name} has no {name}; it takes {takes}"
                self._add(f"{where}, {name}", text, (*path, name))
        limits = [name for name in measure.limits if name in given]
        if measure.limits and len(limits) != 1:
            wanted = " or ".join(measure.limits)
            found = "both" if limits else "neither" if len(measure.limits) > 1 else "nothing"
            text = f"{measure.name} needs a limit, {wanted}; found {found}"
            self._add(where, text, (*path, limits[-1]) if limits else path)
        low, high = measure.limit_range
        for name in limits:
            limit = values.get(name)
            if limit is not None and not low <= limit <= high:
                text = (
                    f"the limit is out of range; expected {range_words(low, high)}; found {limit:g}"
                )
                if high == 1 and 1 < limit <= 100:
                    text += f"; for {limit:g} % write {limit / 100:g}"
                self._add(f"{where}, {name}", text, (*path, name))

    def _fields(
        self, given: Any, names: Any, where: str, path: tuple[str | int, ...]
    ) -> dict[str, Any]:
        """Keep the fields that exist; the others are faults."""
        if not isinstance(given, Mapping):
            self._add(where, f"expected a table, found {given!r}", path)
            return {}
        self._unknown(given, names, where, "field", path)
        return {name: value for name, value in given.items() if name in names}

    def _unknown(
        self,
        given: Mapping[str, Any],
        names: Any,
        where: str,
        kind: str,
        path: tuple[str | int, ...],
    ) -> None:
        for name in given:
            if name not in names:
                hint = did_you_mean(str(name), names)
                listed = hint or "expected one of " + ", ".join(names)
                self._add(where, f"there is no {kind} {name!r}; {listed}", (*path, name))

    def _convert(
        self, given: Mapping[str, Any], table: Any, where: str, path: tuple[str | int, ...]
    ) -> dict[str, Any]:
        """Convert each field by its own function."""
        values: dict[str, Any] = {}
        for name, value in given.items():
            try:
                values[name] = table[name](value)
            except AnnqcError as error:
                self._add(f"{where}, {name}", inline(error), (*path, name))
        return values

    def _add(self, where: str, text: str, path: tuple[str | int, ...]) -> None:
        self.faults.append(Fault(where, text, self.places.line(*path)))
