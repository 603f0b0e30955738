"""The pytest plugin of annqc: hooks only, a thin layer over `annqc.testing`.

It does nothing until pytest meets a file named ``*.annqc.toml``, or a test asks for a fixture of
it. Loading it must cost next to nothing in projects that do not use it, so what is loaded here
imports the standard library and pytest alone. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import warnings
from typing import Final

import pytest

OLDEST: Final = (8, 4)
"""The oldest pytest that knows all hooks as they are used here."""

if pytest.version_tuple[:2] >= OLDEST:
    from pytest_annqc._fixtures import annqc_audit, annqc_fixture
    from pytest_annqc._hooks import (
        pytest_addoption,
        pytest_collect_file,
        pytest_configure,
        pytest_runtest_makereport,
    )

    __all__ = [
        "annqc_audit",
        "annqc_fixture",
        "pytest_addoption",
        "pytest_collect_file",
        "pytest_configure",
        "pytest_runtest_makereport",
    ]
else:
    __all__ = []
    warnings.warn(
        f"annqc needs pytest {OLDEST[0]}.{OLDEST[1]} or newer, and this is {pytest.__version__}: "
        "*.annqc.toml files are not run, and its fixtures and options are not there",
        stacklevel=1,
    )
