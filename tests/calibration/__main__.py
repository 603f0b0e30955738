"""Print measured against bound: ``python -m tests.calibration [--scale 1] [AT1 AT8 ...]``."""

from __future__ import annotations

import argparse
import sys
import time

from . import (
    agreement,
    consensus,
    dependence,
    endtoend,
    fleet,
    outline_fleet,
    outline_rules,
    outlines,
    paired,
    ratchet,
    rest,
    scorecards,
    sequential,
    single,
    specs,
    suspicions,
    temporal,
    track_fleet,
    track_rules,
    tracking,
)
from .core import CHECKS, SEED, Run, checks_of

MODULES = (
    agreement,
    single,
    fleet,
    sequential,
    rest,
    endtoend,
    ratchet,
    paired,
    specs,
    outlines,
    outline_rules,
    outline_fleet,
    temporal,
    track_fleet,
    track_rules,
    tracking,
    consensus,
    suspicions,
    dependence,
    scorecards,
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"some of {', '.join(CHECKS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the replications")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    unknown = [one for one in chosen.ids if one not in CHECKS]
    if unknown:
        parser.error(f"no check {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    run = Run(scale=chosen.scale, seed=chosen.seed)
    print(f"seed {run.seed}, scale {run.scale:g}")
    print(f"{'id':<5} {'scenario':<50} {'statistic':<23} {'measured':>9}  bound")
    done = violated = 0
    for one in chosen.ids or sorted(CHECKS, key=lambda one: int(one[2:])):
        start = time.process_time()
        for check in checks_of(one, run):
            print(check, flush=True)
            done += 1
            violated += not check.ok
        print(f"{one:<5} took {time.process_time() - start:.1f} s CPU", file=sys.stderr, flush=True)
    print(f"{done} checks, {violated} violated")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
