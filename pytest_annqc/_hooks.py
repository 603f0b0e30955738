"""The hooks. They run for every test of every project, so they look, and leave.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

__all__ = [
    "SEEN",
    "TOLD",
    "Desk",
    "Worker",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_runtest_makereport",
]

SUFFIX: Final = ".annqc.toml"
UNDECIDED: Final = ("skip", "fail", "pass")

TOLD = pytest.StashKey[dict[str, Any]]()
"""What an item of ours has to tell the controller: plain JSON values."""

SEEN = pytest.StashKey[set[str]]()
"""Ids of all rules that this process collected, also of those that were deselected since."""

_MARKER: Final = (
    "annqc(work=..., gold=..., **options): every rule of a *.annqc.toml file has it; on a test it "
    "names what the fixture annqc_audit compares, with the arguments of annqc.audit"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options and ini keys; values that stay belong into ini keys."""
    group = parser.getgroup("annqc", "annotation quality control")

    def option(name: str, text: str, **kwargs: Any) -> None:
        dest = name.removeprefix("--").replace("-", "_")
        group.addoption(name, dest=dest, help=text, default=kwargs.pop("default", None), **kwargs)

    option("--annqc-report", "write an HTML page on all rules into this folder", metavar="DIR")
    option("--annqc-json", "write what became of every rule as JSON", metavar="FILE")
    option("--annqc-sarif", "write rules that failed as SARIF, for code scanning", metavar="FILE")
    option(
        "--annqc-cache",
        "where to keep checks for the next run, or 'off' (default: pytest's cache folder)",
        metavar="DIR",
    )
    option(
        "--annqc-undecided",
        "what to make of rules that the data cannot settle: skip, fail or pass (default: what the "
        "spec says, else skip)",
        choices=UNDECIDED,
    )
    option(
        "--annqc-data-root",
        "folder from which relative paths of data are seen (default: that of the spec; for "
        "fixtures, the root of the project)",
        metavar="DIR",
    )
    option(
        "--annqc-update-baseline",
        "after the run, save the data of every spec that names a baseline as that baseline",
        action="store_true",
        default=False,
    )
    parser.addini("annqc_cache", "as --annqc-cache", type="string", default="")
    parser.addini("annqc_undecided", "as --annqc-undecided", type="string", default="")
    parser.addini("annqc_data_root", "as --annqc-data-root", type="string", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known; where reports come together, open the desk that takes them."""
    config.stash[SEEN] = set()
    config.addinivalue_line("markers", _MARKER)
    undecided = config.getini("annqc_undecided")
    if undecided and undecided not in UNDECIDED:
        message = f"annqc_undecided: expected one of {', '.join(UNDECIDED)}; found {undecided!r}"
        raise pytest.UsageError(message)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Desk(config), "annqc-desk")
    else:
        config.pluginmanager.register(Worker(config), "annqc-worker")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect spec files; this runs for every file of a project, so it looks at the name alone."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from pytest_annqc._collect import SpecFile

    nodeid = _outside(file_path, parent.config.rootpath)
    return SpecFile.from_parent(parent, path=file_path, nodeid=nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send along what an item of ours has to tell, as text: workers can send nothing else."""
    report = yield
    told = item.stash.get(TOLD, None)
    if told is None or (call.when == "setup" and report.passed) or call.when == "teardown":
        return report
    expected = report.skipped and hasattr(report, "wasxfail")
    told["counted_as"] = "xfailed" if expected else report.outcome
    report.annqc = json.dumps(told)  # type: ignore[attr-defined]
    if report.skipped and isinstance(report.longrepr, tuple):
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), (line or 0) + 1, report.longrepr[2])
    return report


class Worker:
    """One of several processes; what it collected goes to the desk of the controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_sessionfinish(self) -> None:
        """Send the ids of the rules that there are."""
        output: dict[str, Any] = self.config.workeroutput  # type: ignore[attr-defined]
        seen = self.config.stash[SEEN]
        output["annqc"] = sorted(seen)


class Desk:
    """Where what the items tell comes together: the only process, or the controller of several."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.told: dict[str, dict[str, Any]] = {}
        # Specs that could not be collected: path -> message.
        self.errors: dict[str, str] = {}
        self.exit_code: int | None = None
        # Why the run ended early, if it did.
        self.trouble: str | None = None
        # Lines for the end of the run: what was written, and what could not be.
        self.notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a report brings; the last one of a test counts."""
        text = getattr(report, "annqc", None)
        if text is not None:
            self.told[report.nodeid] = json.loads(text)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take in why a spec could not be collected."""
        if report.failed and (file := report.nodeid.partition("::")[0]).endswith(SUFFIX):
            path = os.path.normpath(self.config.rootpath / file)
            crash = getattr(report.longrepr, "reprcrash", None)  # of what was not foreseen
            text = report.longreprtext if crash is None else crash.message
            self.errors.setdefault(path, text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Take in what a worker is to run, should it not live to tell what there is."""
        self.config.stash[SEEN].update(one for one in ids if _is_rule(one))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker collected."""
        self.config.stash[SEEN].update(getattr(node, "workeroutput", {}).get("annqc", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write what was asked for."""
        option = self.config.option
        asked = option.annqc_report or option.annqc_json or option.annqc_sarif
        ours = self.told or self.errors or self.config.stash[SEEN]
        if (ours or asked) and not option.collectonly:
            try:
                from pytest_annqc._finish import finish

                self.notes = finish(session, exitstatus, self)
            except Exception as error:  # noqa: BLE001 - a report must not end a run
                self.notes = [_warning("reports", error)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what became of the rules, in a few lines."""
        if self.told or self.errors or self.notes:
            try:
                from pytest_annqc._summary import write_summary

                write_summary(terminalreporter, self)
            except Exception as error:  # noqa: BLE001 - nor may a summary
                terminalreporter.write_line(_warning("summary", error))


def _outside(path: Path, root: Path) -> str | None:
    """Return the id of a file outside the root: those that pytest gives would all be the same."""
    if path.is_relative_to(root):
        return None
    try:
        seen = os.path.relpath(path, root)
    except ValueError:  # another drive
        seen = str(path)
    return seen.replace(os.sep, "/")


def _is_rule(nodeid: str) -> bool:
    """Whether an id looks like that of a rule: the examples of a profile are no rules."""
    file, _, rest = nodeid.partition("::")
    return file.endswith(SUFFIX) and not rest.startswith("example::")


def _warning(what: str, error: Exception) -> str:
    return f"warning: annqc's {what} broke off: {type(error).__name__}: {error}"
