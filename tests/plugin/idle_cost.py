"""What the idle plugin costs: CPU time of ``pytest --collect-only`` with it and with it blocked.

    python -m tests.plugin.idle_cost [pairs of runs]

The two are run in turn, and the median of the differences is told: the machine's moods cancel.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CODE = "def test_{}():\n    pass\n"
ALONE = ("-p", "no:cacheprovider", "-p", "no:randomly")


def cpu(folder: str, *args: str) -> float:
    """CPU milliseconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *ALONE, *args]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main(pairs: int = 40) -> None:
    """Measure, and print one line."""
    with tempfile.TemporaryDirectory() as folder:
        for k in range(10):
            Path(folder, f"test_{k}.py").write_text(CODE.format(k), encoding="utf-8")
        cpu(folder, "-p", "pytest_annqc")
        found = [(cpu(folder), cpu(folder, "-p", "pytest_annqc")) for _ in range(pairs)]
    bare = statistics.median(without for without, _ in found)
    added = statistics.median(idle - without for without, idle in found)
    print(f"{bare:.0f} ms without the plugin, {added:+.1f} ms with it idle ({pairs} pairs)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
