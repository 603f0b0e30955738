"""The one place that imports numba: late, once, and with a way to do without.

Importing numba and dispatching the first function costs a process 0.6 s before any work is done,
and more where nothing is cached. So a kernel is a plain Python function until it is first called,
and `compiled` decides whether calling it pays.

Rules for kernels: arrays in, arrays out; no sort inside (it costs seconds to compile); no explicit
signatures; a kernel and the kernels it calls live in one file, because the disk cache does not see
changes elsewhere; one Python function for each set of options, because the disk cache confuses two.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, get_args

from annqc.errors import AnnqcError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Engine", "available", "check_engine", "compiled", "njit", "python_of"]

Engine = Literal["auto", "numpy", "numba"]

ENTRY_SECONDS: Final = 1.5
"""What the first kernel of a process costs: import, first dispatch, compiling if not cached."""

F = TypeVar("F", bound="Callable[..., Any]")


class _State:
    """Whether a kernel has already run in this process, so that the next one is nearly free."""

    warm = False


@functools.cache
def _numba() -> Any:
    """Return the numba module, or None where it cannot be imported for whatever reason."""
    try:
        import numba
    except Exception:  # noqa: BLE001 - a broken neighbour can make it raise more than ImportError
        return None
    return numba


def available() -> bool:
    """Whether numba can be imported here. Asking imports it."""
    return _numba() is not None


class _Kernel:
    """A function that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function

    @functools.cached_property
    def dispatcher(self) -> Callable[..., Any]:
        """The numba dispatcher, or the plain function where there is no numba."""
        numba = _numba()
        if numba is None:
            return self.py_func
        scope = self.py_func.__globals__
        for name in self.py_func.__code__.co_names:
            if isinstance(scope.get(name), _Kernel):
                # numba resolves a callee by its global name, so it must find a dispatcher there
                scope[name] = scope[name].dispatcher
        try:
            return cast("Callable[..., Any]", numba.njit(self.py_func, cache=True, nogil=True))
        except RuntimeError:
            # no folder can be written to, neither beside the package nor in the user's cache
            return cast("Callable[..., Any]", numba.njit(self.py_func, nogil=True))

    def __call__(self, *args: Any) -> Any:
        try:
            result = self.dispatcher(*args)
        except Exception:  # a damaged cache raises whatever pickle or the disk raises
            if self.dispatcher is self.py_func:
                raise
            result = self._without_trusting_the_cache(args)
        _State.warm = self.dispatcher is not self.py_func
        return result

    def _without_trusting_the_cache(self, args: tuple[Any, ...]) -> Any:
        """Call again with an emptied cache, then with none; what that raises is the kernel's own.

        A file cut short in the cache, or a disk that takes none, would else end every run.
        """
        _empty_caches(self.dispatcher)
        try:
            return self.dispatcher(*args)
        except Exception:  # noqa: BLE001
            self.dispatcher = _uncached(self.py_func)
            return self.dispatcher(*args)


def _callees(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Return the dispatchers that a kernel calls, with their global names."""
    scope = function.__globals__
    found: list[tuple[str, Any]] = [(name, scope.get(name)) for name in function.__code__.co_names]
    return [
        (name, one)
        for name, one in found
        if hasattr(one, "py_func") and one.py_func is not function
    ]


def _empty_caches(dispatcher: Any) -> None:
    """Empty the disk cache of a kernel and of those it calls, so that a damaged one is mended."""
    for _, callee in _callees(dispatcher.py_func):
        _empty_caches(callee)
    with contextlib.suppress(Exception):  # no cache, no right to write, or another numba
        dispatcher._cache.flush()  # noqa: SLF001 - numba has no public way


def _uncached(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a dispatcher without a disk cache, of a kernel and of those it calls."""
    for name, callee in _callees(function):
        function.__globals__[name] = _uncached(callee.py_func)
    return cast("Callable[..., Any]", _numba().njit(function, nogil=True))


def njit(function: F) -> F:
    """Make ``function`` a kernel: compiled on its first call, cached on disk, run without the GIL.

    numba writes its cache beside the package, or into the user's cache folder where that is
    read-only.

    Parameters
    ----------
    function : callable
        Scalar loops over numpy arrays, positional arguments only.

    Returns
    -------
    callable
        The same function to its callers and to the type checker.
    """
    return cast("F", _Kernel(function))


def python_of(kernel: F) -> F:
    """Return the plain Python function of a kernel, for small work and for tests.

    Parameters
    ----------
    kernel : callable
        What `njit` returned.
    """
    return cast("F", kernel.py_func)  # type: ignore[attr-defined]


def check_engine(engine: str) -> None:
    """Refuse an engine that does not exist, or that is not there.

    Parameters
    ----------
    engine : str
        ``"auto"``, ``"numpy"`` or ``"numba"``.

    Raises
    ------
    UnknownNameError
        Where there is no such engine.
    AnnqcError
        Where numba was asked for by name and cannot be imported.
    """
    if engine not in get_args(Engine):
        kind = "engine"
        raise UnknownNameError.among(kind, engine, get_args(Engine))
    if engine == "numba" and not available():
        what = "the engine 'numba' was asked for, and numba cannot be imported here"
        raise AnnqcError(what, hint="install numba, or leave the engine at 'auto'")


def compiled(engine: Engine, *, saved_seconds: float) -> bool:
    """Decide whether a piece of work goes to a compiled kernel.

    Parameters
    ----------
    engine : {"auto", "numpy", "numba"}
        ``auto`` compiles where it saves more than it costs, or where it costs nothing any more.
    saved_seconds : float
        What the kernel saves over plain numpy or Python on this work.

    Returns
    -------
    bool
        True for the kernel. Both ways give equal results.
    """
    if engine != "auto":
        return engine == "numba"
    return (_State.warm or saved_seconds > ENTRY_SECONDS) and available()
