"""CPU time, compared pair by pair: A B A B ... in one run, so that both see the same machine."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LAUNCHER = """
import json, os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
cpu = used.ru_utime + used.ru_stime
out = dict(code=os.waitstatus_to_exitcode(status), cpu=cpu, peak=used.ru_maxrss)
json.dump(out, open(sys.argv[1], "w"))
"""
"""Starts the process that is measured: one that is started from a large one inherits its peak."""


class UnequalWorkError(Exception):
    """Two contestants did not compute the same thing, so their times mean nothing."""


@dataclass(frozen=True)
class Times:
    """CPU seconds of the contestants, one entry a round, and the peak memory where it is known."""

    seconds: dict[str, list[float]]
    peak_mb: dict[str, float]

    def cpu(self, name: str) -> float:
        return median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """Median over the rounds of how many times as long ``name`` takes."""
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return median(one / two for one, two in pairs)


def interleave(contestants, *, budget=6.0, rounds=(3, 21)):
    """Time functions in turn until the budget of CPU seconds is spent. Each has run once before.

    ``contestants`` is a dict of name to function.
    """
    for function in contestants.values():
        function()
    seconds = {name: [] for name in contestants}
    least, most = rounds
    spent, n = 0.0, 0
    while n < most and (n < least or spent < budget):
        for name, function in contestants.items():
            took, times = _turn(function)
            seconds[name].append(took)
            spent += took * times
        n += 1
    return Times(seconds, {})


TURN = 0.1
"""A turn lasts so many seconds, or ten calls: what others left in the caches matters little."""


def _turn(function):
    """Return the mean CPU seconds of some calls in a row, and how many there were."""
    gc.collect()
    times, start = 0, time.process_time()
    while True:
        function()
        times += 1
        spent = time.process_time() - start
        if spent >= TURN or times == 10:
            return spent / times, times


@dataclass(frozen=True)
class Finished:
    """A process that has ended: CPU seconds of all of it, peak memory, and what it printed."""

    cpu: float
    peak_mb: float
    text: str

    @property
    def value(self):
        """What a `tests.bench.child` says of its work: the last line it prints."""
        return json.loads(self.text.splitlines()[-1])


def launch(arguments, folder, *, environment=None):
    """Run a fresh Python process and wait for it."""
    note = Path(folder, "launched.json")
    note.unlink(missing_ok=True)
    command = [sys.executable, "-S", "-E", "-c", LAUNCHER, str(note), sys.executable, *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    used = json.loads(note.read_text()) if note.exists() else {"code": done.returncode}
    if used["code"] != 0:
        message = (
            f"{' '.join(map(str, arguments))} ended with {used['code']}\n{done.stderr[-2000:]}"
        )
        raise RuntimeError(message)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Finished(used["cpu"], used["peak"] / unit, done.stdout)


def child(*arguments):
    """Return the command line of a `tests.bench.child`."""
    return ["-m", "tests.bench.child", *map(str, arguments)]


def interleave_processes(commands, folder, *, rounds=3, environment=None):
    """Time fresh processes in turn, once each beforehand.

    Returns
    -------
    Times
        With the peak memory of each.
    dict
        What the last run of each said of its work.
    """
    seconds = {name: [] for name in commands}
    peak = dict.fromkeys(commands, 0.0)
    values = {}
    for n in range(rounds + 1):
        for name, command in commands.items():
            done = launch(command, folder, environment=environment)
            peak[name] = max(peak[name], done.peak_mb)
            values[name] = done.text
            if n:
                seconds[name].append(done.cpu)
    return Times(seconds, peak), values


def same(what, ours, theirs, *, within=0.0):
    """Refuse to time unequal work."""
    if ours == theirs or (within and abs(ours - theirs) <= within * max(1, abs(theirs))):
        return
    message = f"{what}: annqc {ours!r}, the peer {theirs!r}"
    raise UnequalWorkError(message)
