"""A folder of checks: whole files or none, made once, and never too many."""

from __future__ import annotations

import json
import multiprocessing
import os
import time

import pytest

from annqc.testing.cache import Cache


def test_what_was_written_is_read_with_its_session(tmp_path):
    record = {"outcome": "pass", "rows": [{"text": "größer, \udce9"}], "n": 1.5, "none": None}
    Cache(tmp_path, session="a").write("group", "key", record)
    assert Cache(tmp_path, session="b").read("group", "key") == (record, "a")
    assert Cache(tmp_path).read("group", "other") is None
    assert Cache(tmp_path).read("other", "key") is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"null", b"[]", b"\xff", b'{"format": "annqc-check-cache"}'],
)
def test_damaged_files_are_not_there(tmp_path, damage):
    cache = Cache(tmp_path)
    cache.write("group", "key", {"outcome": "pass"})
    (tmp_path / "group/key.json").write_bytes(damage)
    assert cache.read("group", "key") is None
    cache.write("group", "key", {"outcome": "fail"})
    assert cache.read("group", "key") == ({"outcome": "fail"}, "")


@pytest.mark.parametrize(
    "change", [{"version": 0}, {"key": "other"}, {"record": []}, {"session": 3}]
)
def test_foreign_files_are_not_there(tmp_path, change):
    cache = Cache(tmp_path)
    cache.write("group", "key", {"outcome": "pass"})
    path = tmp_path / "group/key.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change), encoding="utf-8")
    assert cache.read("group", "key") is None


def test_a_folder_that_takes_nothing_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file")
    with cache.lock("group"):
        cache.write("group", "key", {})
    assert cache.trouble is not None
    assert "file" in cache.trouble
    assert cache.read("group", "key") is None
    assert cache.prune() == 0


def _hold(folder, events):
    with Cache(folder).lock("group"):
        events.put((time.monotonic_ns(), "in", os.getpid()))
        time.sleep(0.05)
        events.put((time.monotonic_ns(), "out", os.getpid()))


def test_one_process_at_a_time_holds_the_lock(tmp_path):
    context = multiprocessing.get_context("spawn")
    events = context.Queue()
    workers = [context.Process(target=_hold, args=(tmp_path, events)) for _ in range(3)]
    for worker in workers:
        worker.start()
    told = sorted(events.get(timeout=60) for _ in range(6))  # queues mix up what comes from several
    for worker in workers:
        worker.join()
    assert [word for _, word, _ in told] == ["in", "out"] * 3
    assert all(told[k][2] == told[k + 1][2] for k in (0, 2, 4))


def test_without_filelock_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "filelock", None)
    with Cache(tmp_path).lock("group"), Cache(tmp_path).lock("group"):
        pass
    assert not (tmp_path / "group").exists()


def test_pruning_removes_the_old_and_the_surplus(tmp_path):
    cache = Cache(tmp_path)
    now = time.time()
    for k in range(10):
        cache.write(f"group{k % 2}", f"key{k}", {"text": "x" * 1000})
        aged = now - k * 86400 - 60
        os.utime(tmp_path / f"group{k % 2}/key{k}.json", (aged, aged))
    (tmp_path / "group1/lock").touch()
    size = (tmp_path / "group0/key0.json").stat().st_size
    assert cache.prune(days=7.5) == 2
    left = {path.stem for path in tmp_path.glob("*/*.json")}
    assert left == {f"key{k}" for k in range(8)}
    assert cache.prune(megabytes=3.5 * size / 1e6) == 5
    assert {path.stem for path in tmp_path.glob("*/*.json")} == {"key0", "key1", "key2"}
    assert cache.prune(megabytes=0) == 2
    assert not (tmp_path / "group1").exists()
    assert cache.read("group0", "key0") is not None


def test_what_this_run_wrote_or_read_is_never_too_much(tmp_path):
    cache = Cache(tmp_path)
    for k in range(30):
        cache.write("group", f"key{k}", {})
        os.utime(tmp_path / f"group/key{k}.json", (1e9, 1e9))
    for k in range(10, 20):
        cache.read("group", f"key{k}")
    cache.write("group", "new", {})
    assert cache.prune(megabytes=0) == 20
    assert len(list(tmp_path.glob("group/*.json"))) == 11


def test_a_lock_that_was_left_alone_goes(tmp_path):
    """Data that cannot be read leave a lock and no checks."""
    cache = Cache(tmp_path)
    for name in ("old", "new"):
        with cache.lock(name):
            pass
    os.utime(tmp_path / "old/lock", (1e9, 1e9))
    assert cache.prune() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_lock_that_is_not_let_go_is_waited_for_only_so_long(tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr("annqc.testing.cache.PATIENCE", 0.1)
    (tmp_path / "group").mkdir()
    cache = Cache(tmp_path)
    with FileLock(tmp_path / "group/lock", is_singleton=False), cache.lock("group"):
        cache.write("group", "key", {"outcome": "pass"})
    assert cache.read("group", "key") == ({"outcome": "pass"}, "")


def test_what_is_used_stays(tmp_path):
    cache = Cache(tmp_path)
    cache.write("group", "key", {})
    old = time.time() - 20 * 86400
    os.utime(tmp_path / "group/key.json", (old, old))
    cache.read("group", "key")
    assert cache.prune(days=10) == 0
    assert cache.read("group", "key") is not None
