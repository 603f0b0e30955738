"""The wheel: what a user installs is what the repo holds."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import annqc

REPO = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(WheelBuilder(str(REPO)).build(directory=str(folder), versions=["standard"])))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sources(folder: str) -> dict[str, bytes]:
    made = {".pyc", ".nbi", ".nbc"}
    return {
        path.relative_to(REPO).as_posix(): path.read_bytes()
        for path in (REPO / folder).rglob("*")
        if path.is_file() and path.suffix not in made
    }


def metadata(contents: dict[str, bytes], name: str) -> str:
    return contents[f"annqc-{annqc.__version__}.dist-info/{name}"].decode()


@pytest.mark.parametrize("package", ["annqc", "pytest_annqc"])
def test_both_packages_are_whole(contents: dict[str, bytes], package: str) -> None:
    expected = sources(package)
    assert f"{package}/__init__.py" in expected
    assert f"{package}/py.typed" in expected
    shipped = {name: data for name, data in contents.items() if name.startswith(f"{package}/")}
    shipped = {name: data for name, data in shipped.items() if not name.startswith("annqc/specs/")}
    assert shipped == expected


def test_specs_ship_inside_annqc(contents: dict[str, bytes]) -> None:
    shipped = {name: data for name, data in contents.items() if name.startswith("annqc/specs/")}
    expected = {f"annqc/{name}": data for name, data in sources("specs").items()}
    assert expected
    assert shipped == expected


def test_nothing_else_ships(contents: dict[str, bytes]) -> None:
    tops = {name.partition("/")[0] for name in contents}
    assert tops == {"annqc", "pytest_annqc", f"annqc-{annqc.__version__}.dist-info"}


def test_metadata_says_what_the_package_says(contents: dict[str, bytes]) -> None:
    fields = Parser().parsestr(metadata(contents, "METADATA"))
    assert fields["Name"] == "annqc"
    assert fields["Version"] == annqc.__version__
    assert fields["Requires-Python"] == ">=3.11"
    assert fields["License-Expression"] == "Apache-2.0"
    extras = set(fields.get_all("Provides-Extra"))
    assert extras == {"dask", "dev", "docs", "parquet", "pytest", "remote"}
    assert metadata(contents, "licenses/LICENSE") == (REPO / "LICENSE").read_text(encoding="utf-8")


def test_entry_points(contents: dict[str, bytes]) -> None:
    points = configparser.ConfigParser()
    points.read_string(metadata(contents, "entry_points.txt"))
    assert points["console_scripts"]["annqc"] == "annqc.cli:main"
    assert points["pytest11"]["pytest_annqc"] == "pytest_annqc"


def test_the_wheel_imports_on_its_own(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "import annqc, pytest_annqc; print(annqc.__file__); annqc.read, annqc.match, annqc.audit"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
