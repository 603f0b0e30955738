"""The end of a run, on the controller: reports, baselines, and a cache that does not grow for ever.

Nothing here may fail a run: what cannot be written is a line of the summary. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_annqc._settings import cache_of, data_root, updates_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

__all__ = ["finish"]

Told = dict[str, dict[str, Any]]


def finish(config: pytest.Config, told: Told) -> list[str]:
    """Write everything that was asked for.

    Parameters
    ----------
    config : pytest.Config
        Of this run.
    told : dict of str to dict
        Node id -> what the item told.

    Returns
    -------
    list of str
        Lines that say what was written, and what could not be.
    """
    notes: list[str] = []
    records = [one["record"] for one in told.values() if "record" in one]
    _reports(config, records, notes)
    if updates_baseline(config):
        for spec, dataset in _with_baseline(told.values()):
            _attempt(notes, "baseline", partial(_save_baseline, config, spec, dataset))
    troubles = {one["trouble"] for one in told.values() if one.get("trouble")}
    notes += [f"warning: cache not written: {trouble}" for trouble in sorted(troubles)]
    cache = cache_of(config) if told else None
    if cache is not None and cache.folder.is_dir():
        cache.prune()
    return notes


def _reports(config: pytest.Config, records: list[dict[str, Any]], notes: list[str]) -> None:
    option = config.option
    step_summary = os.environ.get("GITHUB_STEP_SUMMARY") if records else None
    asked = (option.annqc_report, option.annqc_json, option.annqc_sarif, step_summary)
    if not any(asked):
        return
    from annqc.report.checks.document import make_document, write_json
    from annqc.report.checks.html import write_report
    from annqc.report.checks.markdown import markdown
    from annqc.report.checks.sarif import write_sarif

    document = make_document(records)
    here = config.invocation_params.dir

    def write(name: str, given: str | None, writer: Callable[[Any, Path], Any]) -> None:
        if given:
            path = Path(here, Path(given).expanduser())
            _attempt(notes, name, lambda: writer(document, path) or path)

    write("report", option.annqc_report, write_report)
    write("JSON", option.annqc_json, write_json)
    write("SARIF", option.annqc_sarif, write_sarif)
    if step_summary:
        _attempt(notes, "job summary", lambda: _append(Path(step_summary), markdown(document)))


def _attempt(notes: list[str], name: str, write: Callable[[], object]) -> None:
    """Write, and note where; or note why not, on one line."""
    from annqc.errors import AnnqcError

    try:
        notes.append(f"{name}: {write()}")
    except (AnnqcError, OSError) as error:
        said = "; ".join(line.strip() for line in str(error).splitlines())
        notes.append(f"warning: {name} not written: {said}")


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
    from annqc.testing.checking import audit_dataset, datasets_of

    spec = load_spec(spec_path)
    datasets = {one.name: one for one in datasets_of(spec, root=data_root(config))}
    dataset = datasets[name]
    assert dataset.baseline is not None
    folder = Path(dataset.baseline)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return audit_dataset(spec, dataset).save(folder)
