"""judge: one text of a spec: its tables, and every fault that is found in them."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError, SpecError, did_you_mean
from annqc.judge.faults import Fault, Places, as_written, inline
from annqc.judge.variables import conceal, expand

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from annqc.judge.faults import Path as Place

__all__ = ["Sheet", "parse_toml", "read_text"]

LARGEST: Final = 64
"""Bits of a whole number; TOML asks for no more."""
_TOO_LARGE: Final = "a number is too large; whole numbers have at most 64 bits"
_TOO_DEEP: Final = "this is not TOML: it is nested too deeply"
_LONG: Final = re.compile(r"[0-9_]{4301,}")
"""More digits than Python makes a number of."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a spec file.

    Raises
    ------
    SpecError
        Where it cannot be read, or is no text.
    """
    try:
        # A pipe would keep the reader waiting, a device may have no end.
        mode = Path(path).stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            what = "this is no file but a pipe or a device"
            hint = "write the spec into a file, and give the name of that"
            raise SpecError(what, where=str(path), expected="a spec file", hint=hint)
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            what = "the spec is not UTF-8 text"
            raise SpecError(what, where=str(path), hint="save it as UTF-8") from None
        what = "the spec cannot be read"
        found = getattr(error, "strerror", None) or str(error)
        raise SpecError(what, where=str(path), found=found) from None


def parse_toml(text: str) -> Mapping[str, Any] | Fault:
    """Parse TOML, or return the fault that makes it none."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = int(at.group(1)) if at and at.group(1) else len(text.splitlines()) or None
        said = str(error)[: at.start()] if at else str(error)
        return Fault("", f"this is not TOML: {said[:1].lower()}{said[1:]}", line)
    except RecursionError:
        return Fault("", _TOO_DEEP)
    except ValueError:  # of more digits than Python makes a number of
        lines = enumerate(text.splitlines(), start=1)
        return Fault("", _TOO_LARGE, next((at for at, one in lines if _LONG.search(one)), None))
    try:
        place = _too_large(table)
    except RecursionError:
        return Fault("", _TOO_DEEP)
    return table if place is None else Fault("", _TOO_LARGE, Places(text).line(*place))


def _too_large(value: Any, place: Place = ()) -> Place | None:
    """Return the place of a number that TOML does not know; messages could not even show it."""
    if isinstance(value, int):
        return place if value.bit_length() > LARGEST else None
    within: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        within = value.items()
    elif isinstance(value, list):
        within = enumerate(value)
    found = (_too_large(one, (*place, name)) for name, one in within)
    return next((one for one in found if one is not None), None)


@dataclass(eq=False, slots=True)
class Sheet:
    """Checks the fields of tables and converts them, and keeps every fault.

    Attributes
    ----------
    places : Places
        Where the values stand.
    environ : mapping of str to str
        Variables.
    faults : list of Fault
        Shared by a spec and those that it extends.
    path : str or None
        The file.
    file : str or None
        What faults call the file; None for the spec itself.
    """

    places: Places
    environ: Mapping[str, str]
    faults: list[Fault]
    path: str | None = None
    file: str | None = None

    def add(self, where: str, text: str, place: Place) -> None:
        """Keep a fault."""
        self.faults.append(Fault(where, text, self.places.line(*place), self.file))

    def fields(
        self, given: Any, names: Iterable[str], where: str, place: Place
    ) -> Mapping[str, Any]:
        """Keep the fields that exist; the others are faults."""
        if not isinstance(given, Mapping):
            self.add(where, f"expected a table, found {as_written(given)}", place)
            return {}
        known = tuple(names)
        self.unknown(given, known, where, "field", place)
        return {name: value for name, value in given.items() if name in known}

    def unknown(
        self, given: Mapping[str, Any], names: tuple[str, ...], where: str, kind: str, place: Place
    ) -> None:
        """Refuse what is not among the names."""
        for name in given:
            if name not in names:
                hint = did_you_mean(str(name), names)
                listed = hint or "expected one of " + ", ".join(names)
                self.add(where, f"there is no {kind} {name!r}; {listed}", (*place, name))

    def convert(
        self,
        given: Mapping[str, Any],
        table: Mapping[str, Callable[[Any], Any]],
        where: str,
        place: Place,
    ) -> dict[str, Any]:
        """Put in the variables, and convert each field by its own function."""
        values: dict[str, Any] = {}
        for name, value in given.items():
            try:
                values[name] = table[name](expand(value, self.environ))
            except AnnqcError as error:
                said = inline(_concealed(error, value, self.environ))
                self.add(f"{where}, {name}", said, (*place, name))
        return values

    def tables(self, given: Any, kind: str) -> list[Any]:
        """Return the elements of an array of tables."""
        if isinstance(given, list):
            return given
        if given is not None:
            text = f"every {kind} starts with [[{kind}]], in two pairs of brackets"
            self.add(kind, text, (kind,))
        return []


def _concealed(error: AnnqcError, value: Any, environ: Mapping[str, str]) -> AnnqcError:
    """Return an error that names the variables of a value, and does not tell what they hold."""
    what = conceal(error.what, value, environ)
    found = None if error.found is None else conceal(error.found, value, environ)
    return SpecError(what, expected=error.expected, found=found, hint=error.hint)
