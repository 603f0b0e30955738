"""numba is imported late, once, and can be done without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from annqc.errors import AnnqcError, UnknownNameError
from annqc.kernels import _jit


@pytest.fixture
def no_numba(monkeypatch):
    """Make `import numba` fail in the way a broken neighbour makes it fail."""

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "numba":
                message = "module 'coverage' has no attribute 'types'"
                raise AttributeError(message)

    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    _jit._numba.cache_clear()
    yield
    _jit._numba.cache_clear()


def total(values: np.ndarray) -> float:
    result = 0.0
    for value in values:
        result += value
    return result


def test_a_kernel_is_the_function_compiled_on_its_first_call():
    kernel = _jit._Kernel(total)
    assert "dispatcher" not in vars(kernel)
    assert kernel(np.array([1.0, 2.5])) == 3.5
    assert kernel.dispatcher.signatures
    assert _jit.python_of(kernel) is total
    assert kernel.__name__ == "total"


def test_without_numba_the_plain_function_runs(no_numba):
    kernel = _jit._Kernel(total)
    assert not _jit.available()
    assert kernel([1.0, 2.5]) == 3.5
    assert kernel.dispatcher is total
    assert not _jit.compiled("auto", saved_seconds=1e9)


def test_numba_asked_for_by_name_must_be_there(no_numba):
    with pytest.raises(AnnqcError, match="cannot be imported"):
        _jit.check_engine("numba")


def test_an_unknown_engine_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'numba'"):
        _jit.check_engine("nunba")


def test_no_folder_for_the_cache_is_no_reason_to_fail(monkeypatch):
    import numba

    real = numba.njit

    def without_a_folder(function, **options):
        if options.get("cache"):
            message = "cannot cache function: no locator available"
            raise RuntimeError(message)
        return real(function, **options)

    monkeypatch.setattr(numba, "njit", without_a_folder)
    assert _jit._Kernel(total)(np.array([2.0])) == 2.0


def test_auto_compiles_where_it_pays(monkeypatch):
    monkeypatch.setattr(_jit._State, "warm", False)
    assert not _jit.compiled("auto", saved_seconds=0.1)
    assert _jit.compiled("auto", saved_seconds=60)
    monkeypatch.setattr(_jit._State, "warm", True)
    assert _jit.compiled("auto", saved_seconds=1e-9)
    assert not _jit.compiled("numpy", saved_seconds=60)
    assert _jit.compiled("numba", saved_seconds=0)


MODULE = """\
from annqc.kernels import _jit


@_jit.njit
def double(value):
    return 2 * value


@_jit.njit
def doubled_total(values):
    result = 0.0
    for value in values:
        result += double(value)
    return result
"""

PROGRAM = """\
import builtins, os, sys
import numpy as np
import numba.core.caching as caching
from module import doubled_total

if "full" in sys.argv:
    def full(self, *args):
        raise OSError(28, "No space left on device")
    caching.IndexDataCacheFile._save_data = full
    caching.IndexDataCacheFile._save_index = full
print(doubled_total(np.array([1.0, 2.5])), doubled_total(np.array([1, 2])))
print(sum(doubled_total.dispatcher.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """Run two kernels in a process of their own, with a cache of their own."""
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "module.py").write_text(MODULE)
    (folder / "program.py").write_text(PROGRAM)
    root = str(Path(_jit.__file__).parents[2])
    cache = folder / "cache"

    def run(*args: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "program.py", *args],
            cwd=folder,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    run()
    return run, cache


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_cache_cut_short_is_mended(cached, ending, kept):
    run, cache = cached
    files = list(cache.rglob(f"*.{ending}"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:kept])
    assert run()[:2] == ["7.0", "6.0"]
    assert run() == ["7.0", "6.0", "2"]  # from the cache again


def test_a_full_disk_is_no_reason_to_fail(cached):
    run, cache = cached
    for file in cache.rglob("*.nb?"):
        file.unlink()
    assert run("full")[:2] == ["7.0", "6.0"]


def test_what_a_kernel_itself_raises_comes_through():
    kernel = _jit._Kernel(share)
    with pytest.raises(ZeroDivisionError):
        kernel(np.array([1, 0]))
    assert kernel(np.array([6, 3])) == 2


def share(values):
    return values[0] // values[1]
