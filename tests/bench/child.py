"""What runs in a fresh process: ``python -m tests.bench.child WORK ARGUMENTS``; prints JSON.

It imports nothing but what the work needs, so that the process costs what a user's would.
"""

from __future__ import annotations

import json
import sys
import time


def audit(work, gold):
    """Files in, verdicts out."""
    import annqc

    done = annqc.audit(work, gold)
    found = done.findings()
    scores = done.score_columns()
    return {
        "n_matched": len(done.matches.matched_iou),
        "n_findings": found.decisions.verdict.size,
        "n_scores": len(scores["annotator"]),
    }


def coco(results, gold):
    """Evaluate with pycocotools at one threshold."""
    import contextlib
    import io

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from .oneiou import matched_ids, one_threshold

    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(gold)
        evaluation = COCOeval(reference, reference.loadRes(results), "bbox")
        one_threshold(evaluation)
        evaluation.evaluate()
    return {"n_matched": len(matched_ids(evaluation))}


def read(path):
    """Read with annqc."""
    import annqc

    start = time.process_time()
    table = annqc.read(path).table
    took = time.process_time() - start
    return {"n": len(table), "area": _area(table.xyxy), "cpu": took}


def decode(path):
    """Decode with msgspec."""
    from pathlib import Path

    import numpy as np

    from .barejson import decode as with_msgspec

    start = time.process_time()
    rows = with_msgspec(Path(path)).annotations
    took = time.process_time() - start
    area = np.fromiter((one.bbox[2] * one.bbox[3] for one in rows), float, len(rows)).sum()
    return {"n": len(rows), "area": float(area), "cpu": took}


def verdicts(n_rows, n_groups):
    """Decide on made-up offsets, by whichever path annqc takes of itself."""
    from .findings import OFFSETS, make, verdicts

    n, n_groups = int(n_rows), int(n_groups)
    rows = make(n, max(10, n // 3), n_groups, OFFSETS)
    start = time.process_time()
    verdicts(*rows, n_groups=n_groups)
    took = time.process_time() - start
    return {"cpu": took, "engine": "numba" if "numba" in sys.modules else "numpy"}


def modules(work, gold):
    """List the modules that an audit imports, in order, without annqc's own."""
    audit(work, gold)
    return [name for name in sys.modules if not name.startswith(("annqc", "tests", "__"))]


def imports(path):
    """Import the modules that a file lists, and do nothing else."""
    from importlib import import_module
    from pathlib import Path

    done = 0
    for name in json.loads(Path(path).read_text()):
        try:
            import_module(name)
            done += 1
        except ImportError:
            pass
    return {"n": done}


def _area(xyxy):
    return float(((xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])).sum())


WORK = {one.__name__: one for one in (audit, coco, read, decode, verdicts, modules, imports)}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
