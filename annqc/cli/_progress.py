"""A progress bar for work that takes over two seconds, on a terminal alone."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Progress"]

PATIENCE: Final = 2.0
"""Seconds of silence."""


class Progress:
    """Steps of a command. Nothing is shown, and rich is not loaded, before two seconds have passed.

    Parameters
    ----------
    n_steps : int
        How many steps there are.
    quiet : bool
        Show nothing at all.
    patience : float
        Seconds before anything is shown.

    Examples
    --------
    >>> with Progress(1, quiet=True) as progress:
    ...     progress.step("matching")
    """

    def __init__(self, n_steps: int, *, quiet: bool = False, patience: float = PATIENCE) -> None:
        self._n_steps = n_steps
        self._done = 0.0
        self._what = ""
        self._bar: Any = None
        self._task: Any = None
        self._closed = False
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        if not quiet and sys.stderr.isatty():
            self._timer = threading.Timer(patience, self._show)
            self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.stop()

    def step(self, what: str) -> None:
        """Begin the next step."""
        with self._lock:
            self._done = float(int(self._done)) + (1.0 if self._what else 0.0)
            self._what = what
            self._update()

    def file(self, done: int, total: int, _name: str) -> None:
        """Take note that a file of this step is read."""
        with self._lock:
            self._done = int(self._done) + 0.999 * done / max(total, 1)
            self._update()

    def _update(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, description=self._what)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        with self._lock:
            if self._closed:
                return
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._what, total=self._n_steps, completed=self._done)
            self._bar.start()
