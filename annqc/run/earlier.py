"""run: the saved run that a spec compares with, opened when a rule first asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError
from annqc.judge.paths import folder_of, locate

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge import Spec
    from annqc.run.audit import Run

    AnyPath = str | os.PathLike[str]

__all__ = ["Earlier", "earlier_run"]

OVERVIEW: Final = "run.json"
"""The file of a saved run that is written anew whenever the run is."""


class Earlier:
    """A saved run, opened once, and again when it was saved anew.

    Parameters
    ----------
    path : path
        Its folder.
    load : callable
        Path -> run.
    hint : str
        How to save one, where there is none.
    """

    def __init__(self, path: AnyPath, load: Callable[[AnyPath], Run], hint: str) -> None:
        self.path = path
        self.load = load
        self.hint = hint
        self._opened: tuple[float, Run] | None = None

    def __call__(self) -> Run:
        """Return the run.

        Raises
        ------
        AnnqcError
            Where it is not there, or damaged.
        """
        try:
            saved = os.stat(os.path.join(self.path, OVERVIEW)).st_mtime_ns  # noqa: PTH116, PTH118
        except OSError:
            saved = -1
        if self._opened is None or self._opened[0] != saved:
            if not os.path.exists(self.path):  # noqa: PTH110
                what = "there is no baseline yet"
                raise AnnqcError(what, where=os.fspath(self.path), hint=self.hint)
            try:
                self._opened = (saved, self.load(self.path))
            except AnnqcError as error:
                what = f"the baseline cannot be opened: {error.what}"
                raise AnnqcError(
                    what,
                    where=error.where,
                    expected=error.expected,
                    found=error.found,
                    hint=self.hint,
                ) from None
        return self._opened[1]


def earlier_run(
    given: Run | AnyPath | None,
    spec: Spec,
    *,
    load: Callable[[AnyPath], Run],
    kept: dict[str, Earlier],
) -> Callable[[], Run] | None:
    """Find what rules with ``no_worse_than`` compare with.

    Parameters
    ----------
    given : Run or path, optional
        What the caller wants; the baseline of the spec's only dataset if not given.
    spec : Spec
        The spec.
    load : callable
        Path -> run.
    kept : dict
        Saved runs by path, so that each is opened once.

    Returns
    -------
    callable or None
        Gives the run; None where nothing names one.
    """
    if given is None and any(rule.no_worse_than for rule in spec.rules):
        given = _named_by(spec)
    if given is None:
        return None
    if not isinstance(given, (str, os.PathLike)):
        run = given
        return lambda: run
    path = os.fspath(given)
    if path not in kept:
        spec_words = spec.path or "SPEC"
        hint = (
            f"save one with annqc audit --spec {spec_words} --save {path}, or with pytest "
            "--annqc-update-baseline"
        )
        kept[path] = Earlier(path, load, hint)
    return kept[path]


def _named_by(spec: Spec) -> str | None:
    """Return the baseline of the only dataset; or of a spec that leaves the data to the caller."""
    if spec.is_profile:
        text = spec.annqc.baseline
        folder = None if spec.path is None else folder_of(spec.path)
        return None if text is None else locate(text, folder)
    datasets = spec.datasets
    return datasets[0].baseline if len(datasets) == 1 else None
