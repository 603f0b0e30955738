"""judge: what a spec extends: a profile by its name or another spec by its path, and how."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import annqc
from annqc.errors import UnknownNameError, did_you_mean
from annqc.judge.model import SUFFIX, DatasetSpec, Rule
from annqc.judge.paths import folder_of, locate
from annqc.judge.reading import located_files
from annqc.judge.ruling import finish_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.judge.layers import Draft, Layer

__all__ = ["Base", "Held", "base_path", "find_profile", "is_path", "profiles", "put_on"]

_DISPLACES: Final[dict[str, tuple[str, ...]]] = {
    "at_least": ("at_most", "no_worse_than", "margin"),
    "at_most": ("at_least", "no_worse_than", "margin"),
    "no_worse_than": ("at_least", "at_most", "tolerance"),
    "tolerance": ("no_worse_than", "margin"),
}
"""Field that a spec gives -> inherited fields that it takes the place of."""
_NOT_INHERITED: Final = ("version", "extends", "without")
_DATA: Final = ("gold", "candidate", "baseline")


@cache
def _profile_folder() -> Path:
    """Folder of the profiles: within the package once installed, beside it in a checkout."""
    package = Path(annqc.__file__).parent
    within = package / "specs"
    return within if within.is_dir() else package.parent / "specs"


def profiles() -> dict[str, Path]:
    """Return the profiles that come with annqc, by name, in the order of the names.

    Examples
    --------
    >>> "boxes" in profiles()
    True
    """
    found = _profile_folder().glob(f"*{SUFFIX}")
    return dict(sorted((path.name.removesuffix(SUFFIX), path) for path in found))


def find_profile(name: str) -> Path:
    """Return the file of a profile.

    Raises
    ------
    UnknownNameError
        Where there is no profile of that name.

    Examples
    --------
    >>> find_profile("boxes").name
    'boxes.annqc.toml'
    """
    known = profiles()
    if name not in known:
        kind = "profile"
        raise UnknownNameError.among(kind, name, known)
    return known[name]


def is_path(text: str) -> bool:
    """Whether what a spec extends is a path, and not the name of a profile."""
    return "/" in text or os.sep in text or text.endswith(".toml")


def base_path(extends: str, path: str | None) -> str:
    """Return the file that a spec extends.

    Parameters
    ----------
    extends : str
        Name of a profile, or a path that is seen from the folder of the spec.
    path : str or None
        The spec; None where it is no file.

    Raises
    ------
    UnknownNameError
        Where there is no such profile.
    """
    if not is_path(extends):
        return str(find_profile(extends))
    own = os.path.expanduser(extends)  # noqa: PTH111
    plain = os.path.join(os.path.dirname(path or ""), own)  # noqa: PTH118, PTH120
    tidy = os.path.normpath(plain)
    # Behind a link to a folder ".." leads elsewhere than the text says.
    same = os.path.realpath(tidy) == os.path.realpath(plain)
    return tidy if same else plain


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """A rule of a spec, with what it took to make it.

    Attributes
    ----------
    rule : Rule
        The rule.
    values : dict of str to object
        The fields that were given, here or in what is extended.
    draft : Draft
        Where it stands.
    """

    rule: Rule
    values: dict[str, Any]
    draft: Draft


@dataclass(eq=False, slots=True)
class Base:
    """What one spec hands on to another, or comes to itself.

    Attributes
    ----------
    header, match : dict of str to object
        Fields that were given.
    rules : dict of str to Held
        By id, in order.
    datasets : tuple of DatasetSpec
        The tables ``[[dataset]]``.
    """

    header: dict[str, Any] = field(default_factory=dict)
    match: dict[str, Any] | None = None
    rules: dict[str, Held] = field(default_factory=dict)
    datasets: tuple[DatasetSpec, ...] = ()
    read: dict[str, Any] = field(default_factory=dict)

    def handed_on(self, path: str) -> Base:
        """Return it as another file inherits it: its paths are seen from its own folder."""
        folder = folder_of(path)
        header = {name: one for name, one in self.header.items() if name not in _NOT_INHERITED}
        if "folders" in header:
            # The others are seen from each of the folders, wherever those are.
            header["folders"] = locate(header["folders"], folder)
        else:
            header |= _located(header, folder)
        datasets = [
            {name: getattr(one, name) for name in one.__struct_fields__} for one in self.datasets
        ]
        located = tuple(
            DatasetSpec(**(located_files(one, folder) | _located(one, folder))) for one in datasets
        )
        read = located_files(self.read, folder)
        return Base(header, self.match, self.rules, located, read)


def _located(values: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Locate the paths among some values."""
    return {
        name: locate(one, folder)
        if isinstance(one, str)
        else tuple(locate(text, folder) for text in one)
        for name, one in values.items()
        if name in _DATA and one is not None
    }


def put_on(base: Base, layer: Layer) -> Base:
    """Put what a file says on what it extends; the faults are those of the file."""
    inherited = dict(base.header)
    datasets = tuple(DatasetSpec(**one.values) for one in layer.datasets if one.sound)
    if layer.datasets and "folders" in inherited:
        # What was seen from each of the folders goes with them.
        inherited = {
            name: one for name, one in inherited.items() if name not in {"folders", *_DATA}
        }
    elif not layer.datasets and not {"gold", "candidate", "folders"} & layer.header.keys():
        datasets = base.datasets
    match = base.match if layer.match is None else (base.match or {}) | layer.match
    read = base.read | layer.read
    if "columns" in read:
        read["columns"] = base.read.get("columns", {}) | layer.read.get("columns", {})
    return Base(inherited | layer.header, match, _rules(base, layer), datasets, read)


def _rules(base: Base, layer: Layer) -> dict[str, Held]:
    without: tuple[str, ...] = layer.header.get("without", ())
    rules = {id: held for id, held in base.rules.items() if id not in without}
    for id in without:
        if id not in base.rules and "extends" in layer.header:
            close = did_you_mean(id, base.rules)
            listed = close or "expected one of " + ", ".join(base.rules)
            text = f"there is no inherited rule {id!r}; {listed}"
            layer.sheet.add("[annqc], without", text, ("annqc", "without"))
    for draft in layer.rules:
        given, values = draft.given, draft.values
        held = rules.get(values.get("id", ""))
        if held is not None and _changes(draft, held):
            gone = {other for name in given for other in _DISPLACES.get(name, ())}
            kept = {name: one for name, one in held.values.items() if name not in gone}
            given, values = kept | dict(given), kept | values
        elif "measure" not in given and "extends" in layer.header:
            id = str(values.get("id", ""))
            hint = did_you_mean(id, rules) or "a new rule needs its measure"
            why = f"no inherited rule has this id; {hint}"
            if id in without:
                why = "without leaves out what it would change"
            draft.add("", f"measure is missing, and {why}")
            continue
        rule = finish_rule(draft, given, values)
        if rule is not None:
            rules[rule.id] = Held(rule, values, draft)
    return rules


def _changes(draft: Draft, held: Held) -> bool:
    """Whether a rule changes the inherited one, and does not replace it by another measure."""
    if "measure" not in draft.given:
        return True
    return bool(draft.values.get("measure") == held.rule.measure)
