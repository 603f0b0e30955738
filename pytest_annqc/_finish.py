"""The end of a run, on the controller: reports, baselines, and a cache that does not grow for ever.

What cannot be written is a line of the summary. Only two things fail a run that is well: an output
that would replace an input, and a baseline that was asked for and is not there. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_annqc._hooks import SEEN
from pytest_annqc._settings import cache_of, data_root, updates_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_annqc._hooks import Desk

__all__ = ["document_of", "finish"]

_TROUBLE: Final[dict[int, str]] = {
    pytest.ExitCode.INTERRUPTED: "the run was interrupted",
    pytest.ExitCode.INTERNAL_ERROR: "pytest met an internal error",
    pytest.ExitCode.USAGE_ERROR: "pytest was not called as it expects",
}


def finish(session: pytest.Session, exitstatus: int, desk: Desk) -> list[str]:
    """Write everything that was asked for.

    Parameters
    ----------
    session : pytest.Session
        Of this run.
    exitstatus : int
        Of this run, as far as it is known by now.
    desk : Desk
        Where everything came together; what became of the run is put there for the summary.

    Returns
    -------
    list of str
        Lines that say what was written, and what could not be.
    """
    config, told = desk.config, desk.told
    outputs, notes = _outputs(config, desk)
    failed = bool(notes)
    saved: list[str] = []
    if updates_baseline(config):
        for spec, dataset in _with_baseline(told.values()):
            save = partial(_save_baseline, config, spec, dataset)
            failed |= not _attempt(saved, "baseline", save, Exception)
    if failed and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = exitstatus = pytest.ExitCode.TESTS_FAILED
        saved.append("warning: the run counts as failed, as this was asked for and not done")
    desk.exit_code = int(exitstatus)
    stopped = session.shouldfail or session.shouldstop
    desk.trouble = str(stopped) if stopped else _TROUBLE.get(exitstatus)
    _reports(desk, outputs, notes)
    notes += saved
    troubles = {one["trouble"] for one in told.values() if one.get("trouble")}
    notes += [f"warning: cache not written: {trouble}" for trouble in sorted(troubles)]
    cache = cache_of(config) if told else None
    if cache is not None:
        with suppress(OSError):
            cache.prune()
    return notes


def document_of(desk: Desk) -> dict[str, Any]:
    """Return what came together, as the document that all reports are made from."""
    from annqc.report.checks.document import make_document
    from annqc.report.checks.trouble import make_run, make_spec_error

    records = [
        one["record"] | {"counted_as": one.get("counted_as")}
        for one in desk.told.values()
        if "record" in one
    ]
    run = make_run(
        len(records),
        n_collected=len(desk.config.stash[SEEN]),
        exit_code=desk.exit_code,
        trouble=desk.trouble,
    )
    errors = [make_spec_error(path, text) for path, text in desk.errors.items()]
    return make_document(records, errors=errors, run=run)


def _outputs(config: pytest.Config, desk: Desk) -> tuple[dict[str, Path], list[str]]:
    """Say where the reports go, and note which of them would replace what was read."""
    option, here = config.option, config.invocation_params.dir
    given = {"report": option.annqc_report, "JSON": option.annqc_json, "SARIF": option.annqc_sarif}
    paths = {name: Path(here, Path(one).expanduser()) for name, one in given.items() if one}
    notes: list[str] = []
    if not paths:
        return paths, notes
    from annqc.errors import AnnqcError
    from annqc.report.checks.html import FILES
    from annqc.report.files import spare_inputs
    from annqc.testing.inputs import input_files

    nodes = {config.rootpath / nodeid.partition("::")[0] for nodeid in config.stash[SEEN]}
    told = {Path(one["spec"]) for one in desk.told.values() if one.get("spec")}
    specs = nodes | told | set(map(Path, desk.errors))
    root = data_root(config)
    inputs = [file for spec in sorted(specs) for file in input_files(spec, root=root)]
    spared = {}
    for name, path in paths.items():
        targets = [path / file for file in FILES] if name == "report" else [path]
        try:
            spare_inputs(targets, (), also=inputs)
        except AnnqcError as error:
            notes.append(_not_written(name, error))
        else:
            spared[name] = path
    return spared, notes


def _reports(desk: Desk, outputs: dict[str, Path], notes: list[str]) -> None:
    # A run whose rules were all deselected has nothing to say.
    tells = desk.told or desk.errors or (desk.trouble and desk.config.stash[SEEN])
    step_summary = os.environ.get("GITHUB_STEP_SUMMARY") if tells else None
    if not outputs and not step_summary:
        return
    from annqc.report.checks.document import write_json
    from annqc.report.checks.html import write_report
    from annqc.report.checks.markdown import markdown
    from annqc.report.checks.sarif import write_sarif

    document = document_of(desk)
    writers: dict[str, Callable[[Any, Path], Any]] = {
        "report": write_report,
        "JSON": write_json,
        "SARIF": write_sarif,
    }
    for name, path in outputs.items():
        _attempt(notes, name, partial(_written, writers[name], document, path))
    if step_summary:
        _attempt(notes, "job summary", lambda: _append(Path(step_summary), markdown(document)))


def _written(writer: Callable[[Any, Path], Any], document: dict[str, Any], path: Path) -> Path:
    """Write, and return where."""
    return writer(document, path) or path


def _attempt(
    notes: list[str],
    name: str,
    write: Callable[[], object],
    foreseen: type[Exception] = OSError,
) -> bool:
    """Write, and note where; or note why not, on one line. Say whether it was written."""
    from annqc.errors import AnnqcError

    try:
        notes.append(f"{name}: {write()}")
    except (AnnqcError, foreseen) as error:
        notes.append(_not_written(name, error))
        return False
    return True


def _not_written(name: str, error: Exception) -> str:
    from annqc.errors import AnnqcError

    known = isinstance(error, AnnqcError | OSError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    said = "; ".join(line.strip() for line in text.splitlines())
    return f"warning: {name} not written: {said}"


def _append(path: Path, text: str) -> Path:
    with path.open("a", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")
    return path


def _with_baseline(told: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """List the specs and datasets that name a baseline, each once, sorted."""
    return sorted({(one["spec"], one["dataset"]) for one in told if one.get("baseline")})


def _save_baseline(config: pytest.Config, spec_path: str, name: str) -> Path:
    """Save the data of a dataset as its baseline, whole or not at all."""
    from annqc.judge.spec import load_spec
    from annqc.report.files import cannot_write
    from annqc.testing.checking import audit_dataset, datasets_of

    spec = load_spec(spec_path)
    datasets = {one.name: one for one in datasets_of(spec, root=data_root(config))}
    dataset = datasets[name]
    assert dataset.baseline is not None
    folder = Path(dataset.baseline)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder.parent, error) from None
    return audit_dataset(spec, dataset).save(folder)
