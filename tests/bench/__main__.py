"""Time annqc beside others: ``python -m tests.bench [names...] [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import (
    agreement,
    auditing,
    consensus,
    findings,
    masks,
    matching,
    outlines,
    polygons,
    reading,
    tracking,
)
from .peers import absence
from .report import table
from .timing import UnequalWorkError
from .works import SIZES, Works

BENCHES = {
    "match": matching.match_w1,
    "match10": matching.match_10,
    "warm": auditing.warm,
    "fresh": auditing.fresh,
    "cold": auditing.cold,
    "findings": findings.findings,
    "read": reading.read,
    "million": auditing.large,
    "masks": masks.masks,
    "polygons": polygons.overlap,
    "contours": polygons.contours,
    "outlines": outlines.outsized,
    "tracks": tracking.tracks,
    "consensus": consensus.clustering,
    "agreement": agreement.agreement,
}
"""Name -> function that yields the rows of one benchmark."""

PACKAGES = (
    *("annqc", "numpy", "scipy", "numba", "msgspec"),
    *("pycocotools", "shapely", "opencv-python-headless", "faster-coco-eval"),
    *("crowd-kit", "ensemble-boxes", "krippendorff", "simpleitk", "supervision"),
    *("monai", "motrics", "statsmodels", "surface-distance", "torch", "trackeval"),
)


def machine():
    """Say where this ran: figures mean nothing without it."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        model = next(lines, model).partition(":")[2].strip() or model
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": load,
        "versions": versions,
    }


def run(names, size, *, say=lambda _: None):
    """Run benchmarks one after the other; return their rows, and what went wrong."""
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="annqc-bench-") as folder:
        works = Works(size, folder)
        for name in names:
            start = time.monotonic()
            try:
                rows.extend(_explained(row) for row in BENCHES[name](works))
            except UnequalWorkError as error:
                wrong.append(f"{name}: not timed, the work is not equal. {error}")
            except Exception as error:  # noqa: BLE001 - one benchmark that breaks must not hide the others
                wrong.append(f"{name}: {type(error).__name__}: {error}")
            say(f"{name} took {time.monotonic() - start:.0f} s")
    return rows, wrong


def _explained(row):
    """Say why there is no time of the peer, where there is none."""
    if row.peer and row.peer_cpu is None:
        return replace(row, missing=absence(row.peer))
    return row


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHES)}")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the work; goals do not apply"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures here as well")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    where = machine()
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    print(f"{where['cpu']}, {where['cores']} cores, Python {where['python']}\n{versions}")
    size = SIZES["quick" if chosen.quick else "full"]
    rows, wrong = run(
        chosen.names or list(BENCHES),
        size,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    print("CPU time of all threads, user and system; contestants take turns, medians of the ratios")
    if not size.is_full:
        print("quick: a tenth of the work, so the goals do not apply")
    print(f"\n{table(rows, goals=size.is_full)}")
    for text in wrong:
        print(f"\nERROR {text}")
    if chosen.json:
        figures = [row.figures() for row in rows]
        document = {"machine": where, "size": size.name, "rows": figures, "errors": wrong}
        chosen.json.write_text(json.dumps(document, indent=1) + "\n")
    missed = sum(row.met is False for row in rows) if size.is_full else 0
    print(f"\n{len(rows)} rows, {missed} goals missed, {len(wrong)} errors")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
