"""Every pytest that is supported, with and without workers: the same outcomes and one report.

``make matrix`` installs each pytest into a folder of its own, which goes in front of ``sys.path``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest

from tests.plugin.delivery import SPEC

FOLDER = Path(sys.prefix, "matrix")
VERSIONS = ("8.4", "9.0", "9.2")
WAYS = {
    "alone": (),
    "loadfile": ("-n", "2", "--dist", "loadfile"),
    "load": ("-n", "2", "--dist", "load"),
}
MORE = """
[[rule]]
id = "of-buses"
measure = "recall"
where = { category = "bus" }
at_least = 0.5

[[rule]]
id = "by-vendor"
measure = "recall"
by = "vendor"
at_least = 0.5
"""
OUTCOMES = {
    "by-vendor": "error",
    "no-edge-bias": "failure",
    "of-buses": "skipped",
    "recall": "passed",
}


@cache
def _first_text() -> dict[str, str]:
    """What the first run said of each rule; every other run must say the same."""
    return {}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_outcomes_are_the_same(tmp_path, deliveries, version, way):
    folder = FOLDER / version
    if not folder.is_dir():
        pytest.skip("make matrix installs this pytest")
    shutil.copytree(deliveries["biased"], tmp_path / "data")
    (tmp_path / "boxes.annqc.toml").write_text(SPEC + MORE, encoding="utf-8")
    (tmp_path / "broken.annqc.toml").write_text(SPEC.replace("0.95", "95"), encoding="utf-8")
    asked = ("--junitxml=out.xml", "--annqc-json=out.json", "--continue-on-collection-errors")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", *asked, *WAYS[way]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    out = done.stdout
    assert f"pytest-{version}." in out
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, out + done.stderr
    assert "1 failed, 1 passed, 1 skipped, 2 errors" in out
    assert "4 checks: 1 passed, 1 failed, 1 not applicable, 1 in error; 1 dataset audited" in out
    assert "broken.annqc.toml: the spec has 1 fault\n  line 13, rule 'recall'" in out
    assert "INTERNALERROR" not in out
    found = {
        case.get("name"): next((one.tag for one in case if one.tag != "properties"), "passed")
        for case in ET.parse(tmp_path / "out.xml").getroot().iter("testcase")
        if case.get("name") in OUTCOMES
    }
    assert found == OUTCOMES
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    said = {one["id"]: f"{one['outcome']}: {one['sentence']}" for one in document["checks"]}
    assert list(said) == ["no-edge-bias", "recall", "of-buses", "by-vendor"]
    first = _first_text()
    first.update(said if not first else {})
    assert said == first
