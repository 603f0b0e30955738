"""judge: what one file of a spec says, field by field, before it is put on what it extends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from annqc.judge.fields import (
    DATASET_FIELDS,
    EXAMPLE_FIELDS,
    HEADER_FIELDS,
    READ_FIELDS,
    RULE_FIELDS,
    typed,
)
from annqc.judge.model import VERSION, DatasetSpec, Example, Header, ReadSpec, Rule
from annqc.judge.variables import conceal
from annqc.match.policy import MatchPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge.sheet import Sheet

__all__ = ["Draft", "Layer", "read_layer"]

_TABLES: Final = ("annqc", "read", "match", "rule", "dataset", "example")
_MATCH_TYPES: Final = get_type_hints(MatchPolicy) | {"method": str}
"""Types of the fields of ``[match]``; which methods there are the policy says itself."""


@dataclass(eq=False, slots=True)
class Draft:
    """A table of an array, converted as far as it can be without the other files.

    Attributes
    ----------
    sheet : Sheet
        Text that it stands in.
    place : tuple
        Where it stands: ``("rule", 3)``.
    where : str
        What faults call it.
    given : dict of str to object
        The fields that exist, as TOML gave them.
    values : dict of str to object
        The fields that could be converted.
    sound : bool
        Whether it had no fault so far.
    """

    sheet: Sheet
    place: tuple[str, int]
    where: str
    given: Mapping[str, Any]
    values: dict[str, Any]
    sound: bool = True

    def add(self, name: str, text: str) -> None:
        """Keep a fault of a field, or of the whole where no field is named."""
        self.sound = False
        where = f"{self.where}, {name}" if name else self.where
        text = conceal(text, self.given.get(name), self.sheet.environ)
        self.sheet.add(where, text, (*self.place, name) if name else self.place)

    @property
    def line(self) -> int | None:
        """Line of its header."""
        return self.sheet.places.line(*self.place)


@dataclass(eq=False, slots=True)
class Layer:
    """What one file says.

    Attributes
    ----------
    sheet : Sheet
        The file.
    header, read, match : dict of str to object
        The fields that it gives, converted.
    rules, datasets : list of Draft
        Its tables.
    examples : list of (Draft, Example)
        Those that could be read.
    """

    sheet: Sheet
    header: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    match: dict[str, Any] | None = None
    rules: list[Draft] = field(default_factory=list)
    datasets: list[Draft] = field(default_factory=list)
    examples: list[tuple[Draft, Example]] = field(default_factory=list)


def read_layer(table: Mapping[str, Any], sheet: Sheet) -> Layer:
    """Convert table by table and field by field, gathering faults on the way."""
    sheet.unknown(table, _TABLES, "the spec", "table", ())
    layer = Layer(sheet)
    layer.header = _header(table.get("annqc"), sheet)
    layer.read = _read(table["read"], sheet) if "read" in table else {}
    layer.match = _match(table["match"], sheet) if "match" in table else None
    layer.rules = _drafts(
        table.get("rule"), "rule", "id", Rule.__struct_fields__, RULE_FIELDS, sheet
    )
    own = [name for name in DatasetSpec.__struct_fields__ if name not in READ_FIELDS]
    names = (*own, *READ_FIELDS)  # in the order in which messages list them
    layer.datasets = _drafts(table.get("dataset"), "dataset", "name", names, DATASET_FIELDS, sheet)
    if layer.datasets and "folders" in layer.header:
        text = "folders and [[dataset]] both say what the datasets are; keep one of them"
        sheet.add("[annqc], folders", text, ("annqc", "folders"))
    names = Example.__struct_fields__
    examples = _drafts(table.get("example"), "example", "name", names, EXAMPLE_FIELDS, sheet)
    for draft in examples:
        for name in ("annotators", "expect"):
            if name not in draft.given:
                draft.add("", f"{name} is missing")
        if draft.sound:
            layer.examples.append((draft, Example(**draft.values)))
    return layer


def _header(given: Any, sheet: Sheet) -> dict[str, Any]:
    if given is None:
        sheet.add("", f"there is no table [annqc]; start with [annqc] and version = {VERSION}", ())
        return {}
    known = sheet.fields(given, Header.__struct_fields__, "[annqc]", ("annqc",))
    values = sheet.convert(known, HEADER_FIELDS, "[annqc]", ("annqc",))
    if isinstance(given, Mapping) and "version" not in given:
        sheet.add("[annqc]", f"version is missing; write version = {VERSION}", ("annqc",))
    if "without" in known and "extends" not in known:
        text = "without leaves out rules of the spec that this one extends, but extends is missing"
        sheet.add("[annqc], without", text, ("annqc", "without"))
    return values


def _read(given: Any, sheet: Sheet) -> dict[str, Any]:
    known = sheet.fields(given, ReadSpec.__struct_fields__, "[read]", ("read",))
    return sheet.convert(known, READ_FIELDS, "[read]", ("read",))


def _match(given: Any, sheet: Sheet) -> dict[str, Any]:
    names = [one.name for one in fields(MatchPolicy)]
    known = sheet.fields(given, names, "[match]", ("match",))
    table: dict[str, Callable[[Any], Any]] = {name: _match_field(name) for name in known}
    return sheet.convert(known, table, "[match]", ("match",))


def _match_field(name: str) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        kind = _MATCH_TYPES[name]
        checked = typed(value, kind, "a text in quotes" if kind is str else "a number")
        MatchPolicy(**{name: checked})
        return checked

    return convert


def _drafts(
    given: Any,
    kind: str,
    key: str,
    names: tuple[str, ...],
    table: Mapping[str, Callable[[Any], Any]],
    sheet: Sheet,
) -> list[Draft]:
    """Convert an array of tables, each with a name of its own."""
    drafts: list[Draft] = []
    first: dict[str, Draft] = {}
    for at, one in enumerate(sheet.tables(given, kind)):
        raw = one.get(key) if isinstance(one, Mapping) else None
        where = f"{kind} {raw!r}" if isinstance(raw, str) else f"{kind} {at + 1}"
        before = len(sheet.faults)
        known = sheet.fields(one, names, where, (kind, at))
        values = sheet.convert(known, table, where, (kind, at))
        draft = Draft(sheet, (kind, at), where, known, values)
        if isinstance(one, Mapping) and key not in one:
            draft.add("", f"{key} is missing")
        name = values.get(key, raw)
        if isinstance(name, str):
            if name in first:
                line = sheet.places.line(*first[name].place, key)
                said = "" if line is None else f" on line {line}"
                sheet.add(where, f"this {key} is taken{said}", (kind, at, key))
            first.setdefault(name, draft)
        draft.sound = len(sheet.faults) == before
        drafts.append(draft)
    return drafts
