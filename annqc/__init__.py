"""annqc tells, from files alone, whether annotators draw their annotations where they should be.

The flow is read -> match -> measure -> infer -> judge -> report, one subpackage a step. The names
listed here are the public surface. Each is imported when it is first used, so that ``import annqc``
stays cheap: it loads no numba, pandas or scipy.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from inspect import Signature

__version__ = "0.1.0"

_HOMES: Final = {
    "AnnqcError": "annqc.errors",
    "AnnqcWarning": "annqc.errors",
    "Audit": "annqc.api",
    "Dataset": "annqc.tables",
    "Habit": "annqc.simulate",
    "Judgement": "annqc.judge",
    "MatchError": "annqc.errors",
    "MatchPolicy": "annqc.match",
    "ReadError": "annqc.errors",
    "SpecError": "annqc.errors",
    "TableError": "annqc.errors",
    "Tolerance": "annqc.measure.tolerance",
    "UnknownNameError": "annqc.errors",
    "agreement": "annqc.run.agreeing",
    "audit": "annqc.api",
    "consensus": "annqc.run.consensus",
    "diff": "annqc.run.diff",
    "formats": "annqc.read",
    "lint": "annqc.api",
    "load": "annqc.api",
    "match": "annqc.match",
    "read": "annqc.read",
    "simulate": "annqc.simulate",
    "tracks": "annqc.run.alone",
}
"""Public name -> module that defines it. ``__init__.pyi`` tells type checkers the same."""

_ROOMS: Final = ("consensus",)
"""Rooms that are named after a function which stands elsewhere."""

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  every name here is a string


class _CallableModule(ModuleType):
    """A subpackage that is named after its main function, and can be called as that function.

    ``annqc.read`` is both the room of the readers and the function that reads a file. Whichever
    import comes first, ``annqc.read(...)`` calls ``annqc.read.read(...)``, and ``annqc.read.coco``
    stays reachable. The function of ``annqc.consensus`` stands in another room, above it.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _main_function(self)(*args, **kwargs)

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        return signature(_main_function(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, (self.__name__,)


class _Package(ModuleType):
    """The type of ``annqc``: makes a subpackage callable when the import system binds it."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _HOMES:
            value.__class__ = _CallableModule
        super().__setattr__(name, value)


def _main_function(module: ModuleType) -> Any:
    """Return what a subpackage does when it is called."""
    name = module.__name__.rpartition(".")[2]
    return import_module(_HOMES[name]).__dict__[name]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module = import_module(f"{__name__}.{name}" if name in _ROOMS else _HOMES[name])
    value = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)


sys.modules[__name__].__class__ = _Package
