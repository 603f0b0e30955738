"""judge: reads the spec, which says what is asked of a delivery; whole, or not at all.

A spec is TOML: a table ``[annqc]`` with the version and, if it is to run on its own, the files; a
table ``[read]`` with what the files do not say themselves; a table ``[match]`` with the rules of
matching; one table ``[[rule]]`` for each thing that is asked. ``[[dataset]]`` tables name several
deliveries, ``[[example]]`` tables simulated ones. ``extends`` starts from the rules and the
settings of another spec.

`layers` reads what one file says, `inherit` puts it on what it extends, `ruling` checks each rule
against its measure; every fault of every file is told at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annqc.errors import AnnqcError, SpecError, did_you_mean
from annqc.judge.faults import Fault, Places, faults_error, inline
from annqc.judge.inherit import Base, base_path, is_path, profiles, put_on
from annqc.judge.layers import Layer, read_layer
from annqc.judge.model import Header, ReadSpec, Rule, Spec
from annqc.judge.paths import folder_of, locate, shared_paths
from annqc.judge.sheet import Sheet, parse_toml, read_text
from annqc.match.policy import MatchPolicy

__all__ = ["Rule", "Spec", "load_spec"]


def load_spec(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec,
    *,
    environ: Mapping[str, str] | None = None,
) -> Spec:
    """Read a spec.

    Parameters
    ----------
    source : path, str, mapping or Spec
        A file; the name of a profile, such as ``"boxes"``; TOML text (any string with a line break
        in it); what TOML text means, as a mapping; or a spec, which is returned as it is.
    environ : mapping of str to str, optional
        Variables for ``${NAME}`` in texts; those of the process if left out.

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
    ...     "annqc": {"version": 1, "extends": "boxes", "without": ["mean-iou"]},
    ...     "rule": [{"id": "recall", "at_least": "98 %"}],
    ... })
    >>> [rule.at_least for rule in spec.rules if rule.id == "recall"]
    [0.98]
    """
    if isinstance(source, Spec):
        return source
    variables = os.environ if environ is None else environ
    if isinstance(source, Mapping):
        return _build(source, Places(), path=None, environ=variables)
    if isinstance(source, str) and "\n" in source:
        return _parse(source, path=None, environ=variables)
    try:
        path = str(Path(source))
    except TypeError:
        what = "a spec is a file, TOML text or a mapping"
        raise SpecError(what, found=type(source).__name__) from None
    # A folder of that name, such as coco/, stands in nobody's way.
    known = {} if is_path(path) or Path(path).suffix or os.path.isfile(path) else profiles()  # noqa: PTH113
    if path in known:
        path = str(known[path])
    try:
        text = read_text(path)
    except SpecError as error:
        if not known:
            raise
        what = f"there is no file and no profile {path!r}"
        listed = "one of " + ", ".join(known)
        raise SpecError(what, expected=listed, hint=did_you_mean(path, known)) from error
    return _parse(text, path=path, environ=variables)


def _parse(text: str, *, path: str | None, environ: Mapping[str, str]) -> Spec:
    table = parse_toml(text)
    if isinstance(table, Fault):
        raise faults_error([table], name=path or "<spec>")
    return _build(table, Places(text), path=path, environ=environ)


def _build(
    table: Mapping[str, Any], places: Places, *, path: str | None, environ: Mapping[str, str]
) -> Spec:
    """Read the layers, put them together, and check the whole."""
    sheet = Sheet(places, environ, [], path=path)
    layer = read_layer(table, sheet)
    chain = [] if path is None else [path]
    base = _base(layer, table, chain)
    whole = None if base is None else put_on(base, layer)
    if whole is not None:
        _check_whole(whole, layer, table)
    if sheet.faults or whole is None:
        raise faults_error(sheet.faults, name=path or "<spec>")
    held = whole.rules.items()
    return Spec(
        annqc=Header(**whole.header),
        match=None if whole.match is None else MatchPolicy(**whole.match),
        rules=tuple(one.rule for _, one in held),
        read=ReadSpec(**whole.read),
        path=path,
        lines={id: one.draft.line for id, one in held if one.draft.line is not None},
        origins={id: one.draft.sheet.file for id, one in held if one.draft.sheet.file is not None},
        given=whole.datasets,
        examples=tuple(example for _, example in layer.examples),
    )


def _base(layer: Layer, table: Mapping[str, Any], chain: list[str]) -> Base | None:
    """Return what a layer extends, None where that has a fault of its own."""
    sheet = layer.sheet
    if "extends" not in layer.header:
        header = table.get("annqc")
        return None if isinstance(header, Mapping) and "extends" in header else Base()
    try:
        path = base_path(layer.header["extends"], sheet.path)
        circle = [os.path.realpath(one) for one in chain]
        if os.path.realpath(path) in circle:
            again = [*chain[circle.index(os.path.realpath(path)) :], path]
            what = f"the specs extend each other in a circle: {' -> '.join(again)}"
            raise SpecError(what)
        text = read_text(path)
    except AnnqcError as error:
        where = f": {error.where}" if error.where else ""
        sheet.add("[annqc], extends", f"{inline(error)}{where}", ("annqc", "extends"))
        return None
    parsed = parse_toml(text)
    before = len(sheet.faults)
    if isinstance(parsed, Fault):
        sheet.faults.append(Fault(parsed.where, parsed.text, parsed.line, path))
        return None
    own = Sheet(Places(text), sheet.environ, sheet.faults, path=path, file=path)
    below = read_layer(parsed, own)
    base = _base(below, parsed, [*chain, path])
    whole = None if base is None else put_on(base, below)
    return whole.handed_on(path) if whole is not None and len(sheet.faults) == before else None


def _check_whole(whole: Base, layer: Layer, table: Mapping[str, Any]) -> None:
    """Find what is missing once everything is put together."""
    if not whole.rules and table.get("rule") in (None, []):
        left = "no rule is left, so" if "without" in layer.header else "there is no [[rule]], so"
        layer.sheet.add("", f"{left} nothing is asked", ())
    own = table.get("annqc")
    named = {*whole.header, *(own if isinstance(own, Mapping) else ())}
    _check_data(whole, layer, named)
    _check_baselines(whole, layer)
    # A rule that has a fault of its own is there all the same.
    own_ids = (one.given.get("id") for one in layer.rules)
    ids = dict.fromkeys([*whole.rules, *(id for id in own_ids if isinstance(id, str))])
    for draft, example in layer.examples:
        for id in example.expect:
            if id not in ids:
                hint = did_you_mean(id, ids) or f"expected one of {', '.join(ids)}"
                draft.add("expect", f"there is no rule {id!r}; {hint}")


def _check_data(whole: Base, layer: Layer, named: set[str]) -> None:
    """Find sides and baselines that are missing; a profile, which names no data, needs neither."""
    sheet, several = layer.sheet, bool(whole.datasets or layer.datasets)
    if not (several or {"gold", "candidate", "folders"} & named):
        return
    for side, other in (("gold", "candidate"), ("candidate", "gold")):
        if side in named or (side == "gold" and whole.read.get("gold_only")):
            continue
        if not several:
            names = other if other in named else "folders"
            text = f"[annqc] names {names} but no {side}; a test needs both, a profile neither"
            sheet.add("", text, ("annqc",))
        for draft in layer.datasets:
            if side not in draft.given and not (side == "gold" and "gold_only" in draft.given):
                draft.add("", f"{side} is missing, here and in [annqc]")
        for one in () if layer.datasets else whole.datasets:
            if not getattr(one, side) and not (side == "gold" and one.gold_only):
                sheet.add("[annqc]", f"{side} is missing for the dataset {one.name!r}", ("annqc",))
    if "baseline" in named or (several and all(_baselines(whole, layer))):
        return
    for id, held in whole.rules.items():
        if held.rule.no_worse_than is not None:
            text = 'no baseline is named; write baseline = "..." in [annqc]'
            if held.draft.sheet is sheet:
                held.draft.add("no_worse_than", text)
            else:
                sheet.add(
                    "[annqc]", f"rule {id!r} compares with a baseline, but {text}", ("annqc",)
                )


def _baselines(whole: Base, layer: Layer) -> list[bool]:
    """Whether each dataset names a baseline."""
    if layer.datasets:
        return ["baseline" in one.given for one in layer.datasets]
    return [one.baseline is not None for one in whole.datasets]


def _check_baselines(whole: Base, layer: Layer) -> None:
    """Find datasets whose baselines would be one: each run would write over that of another."""
    sheet, common = layer.sheet, whole.header.get("baseline")
    if "folders" in whole.header:
        if common is not None and os.path.isabs(os.path.expanduser(common)):  # noqa: PTH111, PTH117
            text = (
                "every folder would have this one baseline; "
                "give a path that is seen from each of the folders"
            )
            sheet.add("[annqc], baseline", text, ("annqc", "baseline"))
        return
    drafts = {one.values["name"]: one for one in layer.datasets if "name" in one.values}
    own = {name: one.values.get("baseline") for name, one in drafts.items()}
    own = own or {one.name: one.baseline for one in whole.datasets}
    folder = None if sheet.path is None else folder_of(sheet.path)
    found = [(name, one or common) for name, one in own.items()]
    located = [(name, None if one is None else locate(one, folder)) for name, one in found]
    for name, other in shared_paths(located).items():
        hint = "give each dataset its own baseline, or use folders"
        text = f"the datasets {other!r} and {name!r} would share one baseline; {hint}"
        if name in drafts:
            drafts[name].add("baseline", text)
        else:
            sheet.add("[annqc], baseline", text, ("annqc", "baseline"))
