"""The pytest plugin of annqc: hooks only, a thin layer over `annqc.judge`.

It does nothing until pytest meets a file named ``*.annqc.toml`` that names the data to judge: then
every rule of it becomes a test. Loading it must cost next to nothing in projects that do not use
it, so this module imports the standard library and pytest alone. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["pytest_collect_file", "pytest_configure"]

SUFFIX: Final = ".annqc.toml"


def pytest_configure(config: pytest.Config) -> None:
    """Make known the marker that every rule carries."""
    config.addinivalue_line("markers", "annqc: a rule of a *.annqc.toml file, checked by annqc")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect spec files; this runs for every file of a project, so it looks at the name alone."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from pytest_annqc._collect import SpecFile

    return SpecFile.from_parent(parent, path=file_path)
