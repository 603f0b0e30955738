"""Every way in which pytest loads or blocks the plugin, and what it costs where nobody uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.delivery import SPEC

HEAVY = ("numpy", "pandas", "scipy", "numba", "annqc", "msgspec", "filelock")
OURS = ("pytest_annqc._collect", "pytest_annqc._bench", "pytest_annqc._finish")
ALONE = ("-p", "no:hypothesispytest", "-p", "no:cacheprovider")
OLD = Path(sys.prefix, "matrix", "8.2")


def test_idle_it_loads_nothing(pytester):
    pytester.makefile(".toml", other="[annqc]\nversion = 9\n")
    pytester.makepyfile("def test_mine(): pass")
    pytester.makeconftest(
        f"""
        import sys

        def pytest_unconfigure(config):
            assert config.pluginmanager.hasplugin("pytest_annqc")
            print("LOADED", [name for name in {HEAVY + OURS!r} if name in sys.modules])
        """
    )
    result = pytester.runpytest_subprocess("-s", "-W", "error", *ALONE)
    result.assert_outcomes(passed=1)
    assert "LOADED []" in result.stdout.str()
    assert "annqc" not in result.stdout.str().partition("collected")[2].replace("LOADED []", "")


def test_importing_it_takes_pytest_and_the_standard_library_alone():
    code = (
        "import sys, pytest; before = set(sys.modules); import pytest_annqc; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    extra = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert extra == {"pytest_annqc"}


@pytest.mark.parametrize(
    ("args", "environment", "conftest", "loaded"),
    [
        ([], {}, "", True),
        (["-p", "no:annqc"], {}, "", False),
        (["-p", "no:pytest_annqc"], {}, "", False),
        (["-p", "pytest_annqc"], {}, "", True),
        ([], {"PYTEST_PLUGINS": "pytest_annqc"}, "", True),
        ([], {}, 'pytest_plugins = ["pytest_annqc"]', True),
        ([], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "", False),
        (["-p", "pytest_annqc"], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "", True),
        (
            [],
            {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_annqc"},
            "",
            True,
        ),
    ],
)
def test_every_way_to_load_and_to_block(pytester, monkeypatch, args, environment, conftest, loaded):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pytester.makeconftest(conftest)
    pytester.makefile(".annqc.toml", boxes=SPEC)
    pytester.makepyfile("def test_mine(): pass")
    result = pytester.runpytest_subprocess(
        "--collect-only", "-q", "-W", "error", "-p", "no:cacheprovider", *args
    )
    assert result.ret == 0
    found = [line for line in result.outlines if "::" in line]
    rules = ["boxes.annqc.toml::no-edge-bias", "boxes.annqc.toml::recall"] if loaded else []
    assert sorted(found) == [*rules, "test_every_way_to_load_and_to_block.py::test_mine"]


def test_strict_settings_know_its_keys(pytester):
    pytester.makeini(
        "[pytest]\nstrict_config = true\nstrict_markers = true\n"
        "annqc_cache = off\nannqc_undecided = pass\nannqc_data_root = .\n"
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.annqc(work="w.json", gold="g.json")
        def test_mine(): pass
        """
    )
    result = pytester.runpytest_inprocess("-W", "error", "-m", "annqc")
    result.assert_outcomes(passed=1)


def test_native_toml_settings_are_read(project, pytester):
    pytester.makepyprojecttoml('[tool.pytest]\nannqc_undecided = "pass"\n')
    project("small").assert_outcomes(passed=2)


def test_help_says_what_every_option_does(pytester):
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        ["annotation quality control:", "*--annqc-report=DIR*", "*--annqc-update-baseline*"]
    )
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.annqc(work=..., gold=..., ***options):*"])


@pytest.mark.skipif(not OLD.is_dir(), reason="make matrix installs the old pytest")
def test_a_pytest_that_is_too_old_is_warned_of_and_left_alone(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(OLD))
    pytester.makefile(".annqc.toml", boxes=SPEC)
    pytester.makepyfile("def test_mine(): pass")
    result = pytester.runpytest_subprocess(*ALONE)
    result.stdout.fnmatch_lines(["*pytest-8.2.*"])
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    said = result.stdout.str() + result.stderr.str()
    assert said.count("annqc needs pytest 8.4 or newer, and this is 8.2") == 1
