"""The public surface: cheap to import, whole, and the same whichever import comes first."""

from __future__ import annotations

import ast
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import annqc

ROOT = Path(annqc.__file__).parent
HEAVY = {"numba", "pandas", "scipy"}
CALLABLE = sorted(name for name, home in annqc._HOMES.items() if home == f"annqc.{name}")


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, check=True, timeout=120
    )


def imported(*args: str) -> set[str]:
    """Top-level packages that a Python process loads, as ``-X importtime`` reports them."""
    report = run("-X", "importtime", *args).stderr
    lines = [line for line in report.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("args", [("-c", "import annqc"), ("-m", "annqc", "--help")])
def test_starting_loads_nothing_heavy(args: tuple[str, ...]) -> None:
    loaded = imported(*args)
    assert "annqc" in loaded
    assert not loaded & HEAVY


def test_heavy_imports_would_be_seen() -> None:
    assert "pandas" in imported("-c", "import annqc, pandas")


def test_every_public_name_is_there() -> None:
    for name in annqc.__all__:
        assert getattr(annqc, name) is not None
    assert set(annqc.__all__) <= set(dir(annqc))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'raed'"):
        annqc.raed  # noqa: B018


def test_stub_lists_the_same_names_from_the_same_modules() -> None:
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    listed = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None
    }
    assert listed == annqc._HOMES


def test_three_subpackages_are_named_after_their_function() -> None:
    assert CALLABLE == ["match", "read", "simulate"]


@pytest.mark.parametrize(
    "first",
    [
        "annqc.{0}",
        "import annqc.{0}",
        "from annqc.{0} import {0}",
        "from annqc import {0}",
        "import annqc.{0}.{1}",
        "from annqc.{0} import {1}",
    ],
)
@pytest.mark.parametrize(
    ("name", "submodule"), [("match", "policy"), ("read", "registry"), ("simulate", "habits")]
)
def test_function_and_subpackage_share_a_name(first: str, name: str, submodule: str) -> None:
    code = f"""
import annqc
{first.format(name, submodule)}
import json, sys, types
import annqc.{name}.{submodule}
from annqc.{name} import {submodule}
from annqc import {name}
print(json.dumps([
    callable(annqc.{name}),
    {name} is annqc.{name} is sys.modules["annqc.{name}"],
    annqc.{name}.{submodule} is {submodule} is sys.modules["annqc.{name}.{submodule}"],
    isinstance(annqc.{name}.{name}, types.FunctionType),
]))
"""
    assert json.loads(run("-c", code).stdout) == [True, True, True, True]


@pytest.mark.parametrize("name", CALLABLE)
def test_callable_subpackage_behaves_as_its_function(name: str) -> None:
    room = getattr(annqc, name)
    function = getattr(room, name)
    assert inspect.signature(room) == inspect.signature(function)
    assert pickle.loads(pickle.dumps(room)) is room


def test_calling_the_subpackage_calls_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annqc.read.read", lambda *args, **kwargs: (args, kwargs))
    assert annqc.read("x.json", format="coco") == (("x.json",), {"format": "coco"})
