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

        Without ``filelock``, or where the system knows no locks, nothing is locked: then two
        processes may do the same work, with the same result.
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
            lock.acquire()
        except (OSError, NotImplementedError):
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def prune(self, *, days: float = 30, files: int = 2000) -> int:
        """Remove what was not used for long, and the oldest where there is too much.

        Parameters
        ----------
        days : float
            Checks that were not used for so many days go.
        files : int
            Checks that stay at most.

        Returns
        -------
        int
            Files removed.
        """
        ages: list[tuple[float, Path]] = []
        now = time.time()
        for path in self.folder.glob("*/*.json*"):
            with suppress(OSError):
                ages.append((now - path.stat().st_mtime, path))
        ages.sort(key=lambda pair: (pair[0], pair[1].name))
        gone = [path for at, (age, path) in enumerate(ages) if at >= files or age > days * DAY]
        for path in gone:
            with suppress(OSError):
                path.unlink()
        for folder in {path.parent for path in gone}:
            with suppress(OSError):
                if [one.name for one in folder.iterdir()] == [LOCK]:
                    (folder / LOCK).unlink()
                folder.rmdir()
        return len(gone)

    def _path(self, group: str, key: str) -> Path:
        return self.folder / group / f"{key}.json"

    @staticmethod
    def _touch(path: Path) -> None:
        """Note the use of a file, once a day."""
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > DAY:
                os.utime(path)
