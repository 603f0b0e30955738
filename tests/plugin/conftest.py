"""Projects in empty folders, and pytest run over them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

# In-process runs unload what they load: what they use is loaded here, once.
import annqc.api
import annqc.report.checks.document
import annqc.testing.checking  # noqa: F401
from tests.plugin.delivery import MADE, SPEC, deliver

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as on a desk, wherever these tests run."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: deliver(name, tmp_path_factory.mktemp(name)) for name in MADE}


@pytest.fixture
def project(pytester: pytest.Pytester, deliveries: dict[str, Path]):
    """Run pytest in a project whose spec, in a folder of its own, judges one of the deliveries.

    Called again in one test, it runs again in the project as it is then.
    """

    def run(
        delivery: str, *args: str, spec: str | None = SPEC, apart: bool = False
    ) -> pytest.RunResult:
        folder = pytester.path / "checks"
        if not folder.exists():
            shutil.copytree(deliveries[delivery], folder / "data")
        if spec is not None:
            (folder / "boxes.annqc.toml").write_text(spec, encoding="utf-8")
        pytest_run = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return pytest_run("-W", "error", *args)

    return run
