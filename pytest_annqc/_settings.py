"""Options and ini keys, put together: an option goes before an ini key.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from annqc.testing.cache import Cache

__all__ = ["asked_undecided", "cache_of", "chosen_undecided", "data_root", "updates_baseline"]

_CACHE = pytest.StashKey["Cache | None"]()


def asked_undecided(config: pytest.Config) -> str | None:
    """Return what this run makes of what is undecided; None where that is left to the spec."""
    chosen = config.option.annqc_undecided or config.getini("annqc_undecided")
    return str(chosen) if chosen else None


def chosen_undecided(config: pytest.Config, given: str | None) -> str:
    """Return what becomes of undecided rules; ``given`` is what the spec says."""
    return asked_undecided(config) or given or "skip"


def data_root(config: pytest.Config) -> Path | None:
    """Return the folder from which relative paths are seen, None where nobody chose one."""
    return _folder(config, "annqc_data_root")


def updates_baseline(config: pytest.Config) -> bool:
    """Whether baselines are written in this run."""
    return bool(config.option.annqc_update_baseline)


def cache_of(config: pytest.Config) -> Cache | None:
    """Return the cache of this run; None where there is none."""
    if _CACHE not in config.stash:
        config.stash[_CACHE] = _open_cache(config)
    return config.stash[_CACHE]


def _open_cache(config: pytest.Config) -> Cache | None:
    if "off" in (
        config.option.annqc_cache,
        config.option.annqc_cache or config.getini("annqc_cache"),
    ):
        return None
    folder = _folder(config, "annqc_cache")
    pytest_cache: Any = getattr(config, "cache", None)
    if folder is None and pytest_cache is None:
        return None
    from annqc.testing.cache import Cache

    if folder is None:
        try:
            folder = Path(pytest_cache.mkdir("annqc"))
        except OSError:  # using it says so, and goes on without
            named = Path(os.path.expandvars(config.getini("cache_dir"))).expanduser()
            folder = config.rootpath / named / "d" / "annqc"
    run = getattr(config, "workerinput", {}).get("testrunuid") or os.urandom(16).hex()
    return Cache(folder, session=str(run))


def _folder(config: pytest.Config, name: str) -> Path | None:
    """Return a folder: options are seen from where pytest was called, ini keys from the root."""
    option, ini = getattr(config.option, name), config.getini(name)
    if option:
        return Path(config.invocation_params.dir, Path(option).expanduser())
    if not ini:
        return None
    home = config.rootpath if config.inipath is None else config.inipath.parent
    return home / Path(ini).expanduser()
