"""testing: the rules of a spec over one of its datasets, from the cache where nothing changed."""

from __future__ import annotations

import hashlib
import platform
import shlex
from dataclasses import dataclass, replace
from functools import cache as once
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence

    from annqc.api import Audit
    from annqc.judge.model import DatasetSpec, Rule, Spec
    from annqc.testing.cache import Cache, Kept

__all__ = ["Checked", "Record", "audit_dataset", "check_dataset", "datasets_of"]

Record = dict[str, Any]

_FOUNDATIONS: Final = (
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "msgspec",
    "shapely",
    "pycocotools",
    "opencv-python-headless",
    "opencv-python",
)
"""Packages whose versions may change what is read, or the last digits of a result."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules say of a dataset.

    Attributes
    ----------
    records : dict of str to dict
        Id of the rule -> record, in the order of the rules.
    audited : bool
        Whether the data were read and compared now; all came from the cache otherwise.
    reused : frozenset of str
        Ids of the rules whose records an earlier run left in the cache.
    """

    records: dict[str, Record]
    audited: bool
    reused: frozenset[str]


def check_dataset(
    spec: Spec,
    dataset: DatasetSpec,
    *,
    cache: Cache | None = None,
    only: Collection[str] | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Checked:
    """Check a dataset against the rules of a spec, reading the data only where that is needed.

    Parameters
    ----------
    spec : Spec
        The rules.
    dataset : DatasetSpec
        One of `datasets_of` the spec.
    cache : Cache, optional
        Checks that were made before. What is missing is made by one process while others wait.
    only : collection of str, optional
        Ids of the rules to check; all of them if not given.
    root : path, optional
        What `datasets_of` was given, for the commands that make the checks again.

    Returns
    -------
    Checked
        Where the data cannot be read, every record is an error that says so.

    Notes
    -----
    A record is kept under everything that it depends on: the content of the inputs and where they
    are, the dataset's and the spec's settings, the text of the rule, the baseline if the rule asks
    for it, and annqc itself. Errors serve the other processes of the same run alone. Nothing is
    kept that was made with measures or readers that are not annqc's own: their ways are not known.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import annqc
    >>> from annqc.judge import load_spec
    >>> from annqc.testing.cache import Cache
    >>> from annqc.write import write_coco
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> _ = write_coco(made.gold, folder / "gold.json")
    >>> _ = write_coco(made.work, folder / "work.json")
    >>> sides = {"gold": str(folder / "gold.json"), "candidate": str(folder / "work.json")}
    >>> rule = {"id": "recall", "measure": "recall", "at_least": 0.8}
    >>> spec = load_spec({"annqc": {"version": 1, **sides}, "rule": [rule]})
    >>> cache = Cache(folder / "cache")
    >>> first = check_dataset(spec, spec.datasets[0], cache=cache)
    >>> second = check_dataset(spec, spec.datasets[0], cache=cache)
    >>> second.records["recall"]["outcome"], first.audited, second.audited
    ('pass', True, False)
    """
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    try:
        checked = _check(spec, dataset, rules, cache)
    except AnnqcError as error:
        records = _errors(spec, dataset, rules, str(error))
        checked = Checked(records, audited=False, reused=frozenset())
    # A cache has records of other runs, which saw the data, the rules and the spec elsewhere.
    placed = {id: _placed(record, spec, root) for id, record in checked.records.items()}
    return replace(checked, records=placed)


def _check(spec: Spec, dataset: DatasetSpec, rules: Sequence[Rule], cache: Cache | None) -> Checked:
    """Do the work of `check_dataset`; raise where the data cannot be read."""
    if cache is None or not _knows_readers():
        records = _make(spec, dataset, [rule.id for rule in rules])
        return Checked(records, audited=bool(rules), reused=frozenset())
    group = _dataset_key(spec, dataset)
    keys = {rule.id: key for rule in rules if (key := _rule_key(rule, dataset)) is not None}
    kept = _kept(cache, group, keys)
    made: dict[str, Record] = {}
    if len(kept) < len(rules):
        with cache.lock(group):
            kept |= _kept(cache, group, keys)  # somebody may have made them while we waited
            made = _make(spec, dataset, [rule.id for rule in rules if rule.id not in kept])
            if made and _dataset_key(spec, dataset) == group:  # nobody wrote while we read
                for id in made.keys() & keys.keys():
                    cache.write(group, keys[id], made[id])
    records = {id: record for id, (record, _) in kept.items()} | made
    return Checked(
        {rule.id: records[rule.id] for rule in rules},
        audited=bool(made),
        reused=frozenset(id for id, (_, session) in kept.items() if session != cache.session),
    )


def audit_dataset(spec: Spec, dataset: DatasetSpec) -> Audit:
    """Read both sides of a dataset and compare them under the spec's rules of matching.

    Parameters
    ----------
    spec : Spec
        The rules.
    dataset : DatasetSpec
        One of `datasets_of` the spec.

    Raises
    ------
    AnnqcError
        The data cannot be read.
    """
    from annqc.api import audit
    from annqc.read import read
    from annqc.read.names import gold_rule

    options = dataset.options()
    if not dataset.gold:
        only = options.pop("only", None)
        work = read(list(dataset.candidate), annotator=dataset.annotator, **options)
        return audit(work, only=only, gold_only=dataset.gold_only, policy=spec.match)
    work = read(list(dataset.candidate), annotator=dataset.annotator, **options)
    rule = gold_rule(dataset.annotator, list(dataset.gold), dataset.gold_only)
    gold = read(list(dataset.gold), annotator=rule, **dataset.options(gold=True))
    return audit(work, gold, policy=spec.match)


def datasets_of(
    spec: Spec, *, root: str | os.PathLike[str] | None = None
) -> tuple[DatasetSpec, ...]:
    """Return the datasets of a spec, relative paths seen from another folder if one is given.

    Parameters
    ----------
    spec : Spec
        The spec.
    root : path, optional
        Folder from which ``gold``, ``candidate`` and ``folders`` are seen; the folder of the spec
        if not given. A baseline stays where the spec is, unless each folder has its own, and so do
        the files that ``[read]`` names.

    Raises
    ------
    AnnqcError
        The datasets cannot be told, because there are no such folders, say.
    """
    if root is None or spec.path is None:
        return spec.datasets
    import msgspec

    change = msgspec.structs.replace
    path = str(Path(root).absolute() / Path(spec.path).name)
    moved = change(spec, path=path, read=spec.reading).datasets
    if spec.annqc.folders is not None:
        return moved
    stay = ("baseline", "categories", "image_sizes")
    return tuple(
        change(dataset, **{name: getattr(own, name) for name in stay})
        for dataset, own in zip(moved, spec.datasets, strict=True)
    )


def _kept(cache: Cache, group: str, keys: Mapping[str, str]) -> dict[str, Kept]:
    """Return what the cache holds; of errors only those of this run, as the next may find none."""
    found = {id: kept for id, key in keys.items() if (kept := cache.read(group, key)) is not None}
    return {
        id: (record, session)
        for id, (record, session) in found.items()
        if record["outcome"] != "error" or session == cache.session
    }


def _make(spec: Spec, dataset: DatasetSpec, ids: Sequence[str]) -> dict[str, Record]:
    """Audit the dataset and judge these rules."""
    if not ids:
        return {}
    from annqc.report.checks.record import make_record

    audit = audit_dataset(spec, dataset)
    judgement = audit.judge(spec, only=ids, baseline=dataset.baseline)
    return {
        check.id: make_record(check, spec=spec, dataset=dataset.name) for check in judgement.checks
    }


def _errors(
    spec: Spec, dataset: DatasetSpec, rules: Sequence[Rule], sentence: str
) -> dict[str, Record]:
    """Return the records of rules that could not be checked."""
    from annqc.judge.verdicts import Check
    from annqc.report.checks.record import make_record

    records = {}
    for rule in rules:
        check = Check(
            id=rule.id, measure=rule.measure, outcome="error", sentence=sentence, rule=rule
        )
        records[rule.id] = make_record(check, spec=spec, dataset=dataset.name)
    return records


def _told(message: str) -> str:
    """Return a message with the file in its first line, which is all that a short list shows."""
    first, *rest = message.split("\n")
    label = "  where: "
    where = next((one.removeprefix(label) for one in rest if one.startswith(label)), "")
    name = Path(where).name
    if Path(where).name == where or name in first:  # no path, or told
        return message
    return "\n".join([f"{first}: {name}", *rest])


def _placed(record: Record, spec: Spec, root: str | os.PathLike[str] | None) -> Record:
    """Return a record with the place where its rule stands now, and how to check it from here."""
    from annqc.report.checks.record import origin_of, reproduce

    id = record["id"]
    order = next(at for at, rule in enumerate(spec.rules) if rule.id == id)
    place = {"order": order, "line": spec.lines.get(id), "origin": origin_of(spec, id)}
    commands = reproduce(spec.path, id, record["dataset"])
    if root is not None:  # `annqc audit` sees the data from the spec, and would find others
        commands = [f"{one} {_root_option(root)}" for one in commands if one.startswith("pytest ")]
    sentence = record["sentence"]
    told = _told(sentence) if record["outcome"] == "error" else sentence
    return {**record, **place, "sentence": told, "reproduce": commands}


def _root_option(root: str | os.PathLike[str]) -> str:
    """Return the option of pytest that says where the data are seen from, quoted for a shell."""
    path = Path(root).absolute()
    here = Path.cwd()
    seen = path.relative_to(here) if path.is_relative_to(here) else path
    return shlex.join(["--annqc-data-root", str(seen)])


def _knows_readers() -> bool:
    from annqc.read.inputs import only_built_in

    return only_built_in()


def _dataset_key(spec: Spec, dataset: DatasetSpec) -> str:
    """Digest of the data and of what is done with them."""
    import msgspec

    from annqc.read.inputs import inputs_digest

    settings = msgspec.json.encode([spec.match, dataset], order="deterministic").decode()
    # there are no files of gold where it is what one annotator of the work drew
    sides = [inputs_digest(list(side)) for side in (dataset.gold, dataset.candidate) if side]
    beside = [_content(Path(one)) if Path(one).is_file() else "none" for one in dataset.files]
    return _digest(_this_annqc(), str(spec.path), settings, *sides, *beside)


def _rule_key(rule: Rule, dataset: DatasetSpec) -> str | None:
    """Digest of a rule and of its baseline; None for what is not to be kept.

    That is a measure that is not annqc's own, and a baseline that cannot be read: judging says why.
    """
    import msgspec

    from annqc.judge.registry import find_measure

    if not find_measure(rule.measure).assess.__module__.startswith("annqc."):
        return None
    text = msgspec.json.encode(rule, order="deterministic").decode()
    try:
        return _digest(text, "" if rule.no_worse_than is None else _contents(dataset.baseline))
    except AnnqcError:
        return None


def _contents(baseline: str | None) -> str:
    """Digest of the files of a saved run."""
    from annqc.read.heads import cannot_open

    if baseline is None:
        return "none"
    folder = Path(baseline)
    try:
        files = sorted(one for one in folder.rglob("*") if one.is_file()) if folder.is_dir() else []
    except OSError as error:
        raise cannot_open(folder, error) from None
    return _digest(*(part for one in files for part in (one.name, _content(one))))


@once
def _this_annqc() -> str:
    """Digest of annqc's own code, which may differ under one version, and of its foundations."""
    import annqc

    home = Path(annqc.__file__).parent
    code = [part for one in sorted(home.rglob("*.py")) for part in (one.name, _content(one))]
    foundations = (platform.python_version(), *map(_version, _FOUNDATIONS))
    return _digest(annqc.__version__, *foundations, *code)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _content(path: Path) -> str:
    from annqc.read.heads import cannot_open

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_open(path, error) from None


def _digest(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return whole.hexdigest()[:40]
