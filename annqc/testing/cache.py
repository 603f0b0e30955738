"""testing: checks that were made before, one JSON file each, named after what they depend on.

A file is written under a temporary name and renamed, so that readers see it whole or not at all;
what is not a whole file of ours is ignored and made again. Deleting the folder costs time only.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["Cache", "Kept"]

FORMAT: Final = "annqc-check-cache"
VERSION: Final = 1
DAY: Final = 86400.0
LOCK: Final = "lock"
PATIENCE: Final = 600.0
"""Seconds to wait for what another process makes, before making it here too."""

Kept = tuple[dict[str, Any], str]
"""A record, and the session that made it."""


class Cache:
    """A folder of checks.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    session : str
        Name of this run, the same in all its processes; it tells what this run made itself from
        what it found.

    Attributes
    ----------
    trouble : str or None
        Why something could not be kept, if that happened; nothing else is amiss then.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> cache = Cache(pathlib.Path(tempfile.mkdtemp()), session="monday")
    >>> cache.write("boxes", "recall", {"outcome": "pass"})
    >>> cache.read("boxes", "recall")
    ({'outcome': 'pass'}, 'monday')
    >>> cache.read("boxes", "precision") is None
    True
    """

    def __init__(self, folder: Path, *, session: str = "") -> None:
        self.folder = folder
        self.session = session
        self.trouble: str | None = None

    def read(self, group: str, key: str) -> Kept | None:
        """Return what was kept under a key, and by which session; None where there is nothing."""
        path = self._path(group, key)
        try:
            kept = json.loads(path.read_bytes())
            if (kept["format"], kept["version"], kept["key"]) != (FORMAT, VERSION, key):
                return None
            record, session = kept["record"], kept["session"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not isinstance(record, dict) or not isinstance(session, str):
            return None
        self._touch(path)
        return record, session

    def write(self, group: str, key: str, record: dict[str, Any]) -> None:
        """Keep a record; where the system refuses, `trouble` says so, and only time is lost."""
        path = self._path(group, key)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        kept = {"format": FORMAT, "version": VERSION, "key": key, "session": self.session}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({**kept, "record": record}), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            self.trouble = f"{self.folder}: {error.strerror or error}"
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def lock(self, group: str) -> AbstractContextManager[object]:
        """Keep other processes from making the checks of a group at the same time.

        Without ``filelock``, where the system knows no locks, or where another process does not
        let go in time, nothing is locked: then two processes may do the same work, with the same
        result.
        """
        try:
            from filelock import FileLock
        except ImportError:
            return nullcontext()
        return self._held(FileLock, self.folder / group)

    @contextmanager
    def _held(self, kind: Any, folder: Path) -> Iterator[None]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = kind(folder / LOCK)
            lock.acquire(timeout=PATIENCE)
        except (OSError, NotImplementedError):  # a lock that times out is an OSError too
            yield
            return
        self._touch(folder / LOCK)
        try:
            yield
        finally:
            lock.release()

    def prune(self, *, days: float = 30, megabytes: float = 500) -> int:
        """Remove what was not used for long, and the oldest where there is too much.

        What was used within a day stays, however much it is: this run needs it, or another does.

        Parameters
        ----------
        days : float
            Checks that were not used for so many days go.
        megabytes : float
            What stays at most, of 1,000,000 bytes each.

        Returns
        -------
        int
            Checks removed.
        """
        used: list[tuple[float, int, Path]] = []
        now = time.time()
        for path in self.folder.glob("*/*.json*"):
            with suppress(OSError):
                status = path.stat()
                used.append((now - status.st_mtime, status.st_size, path))
        used.sort(key=lambda one: (one[0], one[2].name))
        size, gone = 0, []
        for age, own, path in used:
            size += own
            if age > max(days, 1) * DAY or (age > DAY and size > megabytes * 1e6):
                gone.append(path)
        for path in gone:
            with suppress(OSError):
                path.unlink()
        emptied = {path.parent for path in gone}
        for folder in emptied | {lock.parent for lock in self._old_locks(now)}:
            with suppress(OSError):
                if [one.name for one in folder.iterdir()] == [LOCK]:
                    (folder / LOCK).unlink()
                folder.rmdir()
        return len(gone)

    def _old_locks(self, now: float) -> Iterator[Path]:
        """Yield the locks that nobody can hold any more, of data that could not be read, say."""
        for lock in self.folder.glob(f"*/{LOCK}"):
            with suppress(OSError):
                if now - lock.stat().st_mtime > DAY:
                    yield lock

    def _path(self, group: str, key: str) -> Path:
        return self.folder / group / f"{key}.json"

    @staticmethod
    def _touch(path: Path) -> None:
        """Note the use of a file, for `prune`."""
        with suppress(OSError):
            os.utime(path)
