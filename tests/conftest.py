"""What every test may use: real data where it is present, and how hard hypothesis tries."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis

# pytester restores sys.modules after each in-process run; numpy cannot be loaded twice.
import numpy as np  # noqa: F401
import pytest

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data: ``ANNQC_DATA``, or ``../shared/data`` beside the repo."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANNQC_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set ANNQC_DATA to the folder that holds it")
    return folder
