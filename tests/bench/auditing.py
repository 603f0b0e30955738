"""Whole audits, files in and verdicts out: warm, fresh, without a kernel cache, and large."""

from __future__ import annotations

import json
import tempfile

import annqc

from .barejson import decode
from .matching import Laid, pairs
from .oneiou import matched_ids
from .peers import Evaluators, load
from .report import Goal, Row
from .timing import child, interleave, interleave_processes, launch, same


def has_command_line():
    try:
        from annqc.cli import main
    except ImportError:
        return False
    return callable(main)


def _command_line(works, work, gold):
    out = works.folder / "audit.json"
    return ["-m", "annqc", "audit", str(work), "--gold", str(gold), "--json", str(out)]


def whole(gold, work, *, engine="auto", tables=False):
    """Audit two files: verdicts and scores as arrays, and the whole table of findings if asked."""
    done = annqc.audit(work, gold, engine=engine)
    done.findings()
    done.score_columns()
    if tables:
        done.bias_columns()
    return done


def warm(works):
    """Audit W1 in a warm process, against merely decoding the same files."""
    gold, work = works.files("w1")
    done = whole(gold, work)
    decoded = [decode(path) for path in (gold, work)]
    same("gold boxes", len(done.gold), len(decoded[0].annotations))
    same("candidate boxes", len(done.work), len(decoded[1].annotations))
    contestants = {
        "numba": lambda: whole(gold, work, engine="numba"),
        "numpy": lambda: whole(gold, work, engine="numpy"),
        "tables": lambda: whole(gold, work, engine="numba", tables=True),
        "read": lambda: (annqc.read(gold), annqc.read(work)),
        "peer": lambda: (decode(gold), decode(work)),
    }
    times = interleave(contestants, budget=works.size.budget, rounds=works.size.rounds)
    name = f"audit {len(done.work):,} boxes, warm"
    parts = (
        ("numba", "files to verdicts, numba", Goal(at_most=3)),
        ("numpy", "files to verdicts, numpy", Goal(at_most=3)),
        ("tables", "files to tables in three units, numba", Goal()),
        ("read", "reading alone", Goal()),
    )
    for key, label, goal in parts:
        yield Row(
            work=name,
            ours=label,
            cpu=times.cpu(key),
            peer="msgspec typed decode",
            peer_cpu=times.cpu("peer"),
            ratio=times.ratio(key, "peer"),
            goal=goal,
            note="both files; 1 annotator",
        )


def fresh(works):
    """Audit W1 as a process of its own, against pycocotools at one threshold as one."""
    gold, work = works.files("w1")
    name = f"audit {len(works.w1.work):,} boxes, fresh process"
    there = load("pycocotools.cocoeval") is not None
    commands = {"ours": child("audit", work, gold), "floor": _floor(works, "w1")}
    if has_command_line():
        commands["cli"] = _command_line(works, work, gold)
    if there:
        _, _, counted = pairs(Laid(works.w1), engine="numba", method="coco")
        ours = len(counted.matched) - int(counted.mislabelled.sum())
        same(f"{name}, pairs", ours, len(matched_ids(Evaluators(works.w1).pycocotools())))
        commands["peer"] = child("coco", works.results("w1"), gold)
    times, texts = interleave_processes(
        commands, works.folder, rounds=3 if works.size.is_full else 1
    )
    if there:
        same(f"{name}, pairs", ours, json.loads(texts["peer"].splitlines()[-1])["n_matched"])
    labels = {"ours": "API", "cli": "annqc audit --json FILE", "floor": "its imports alone"}
    goals = {"ours": Goal(faster=4, cpu=1.3), "cli": Goal(faster=4, cpu=1.3)}
    for key, label in labels.items():
        if key in commands:
            yield Row(
                work=name,
                ours=label,
                cpu=times.cpu(key),
                peak_mb=times.peak_mb[key],
                peer="pycocotools, 1 threshold",
                peer_cpu=times.cpu("peer") if there else None,
                peer_peak_mb=times.peak_mb["peer"] if there else None,
                ratio=times.ratio(key, "peer") if there else None,
                goal=goals.get(key, Goal()),
                note="as a user starts it; pycocotools computes no statistics",
            )


def _floor(works, name):
    """Return the command of a process that imports what an audit imports, and does nothing."""
    gold, work = works.files(name)
    listed = works.folder / f"{name}-modules.json"
    listed.write_text(json.dumps(launch(child("modules", work, gold), works.folder).value))
    return child("imports", listed)


def cold(works):
    """Audit a little as a fresh process with no kernel cache; and what saying hello costs."""
    gold, work = works.files("hundred")
    rounds = 3 if works.size.is_full else 1
    name = f"audit {len(works.hundred.gold.image_table)} images, no kernel cache"
    with tempfile.TemporaryDirectory(dir=works.folder) as empty:
        commands = {"ours": child("audit", work, gold), "floor": _floor(works, "hundred")}
        if has_command_line():
            commands["cli"] = _command_line(works, work, gold)
        seconds = {name: [] for name in commands}
        peak = {}
        for n in range(rounds):
            for key, command in commands.items():
                # a folder of its own each time, or the first run would fill the cache for the next
                place = f"{empty}/{key}-{n}"
                done = launch(command, works.folder, environment={"NUMBA_CACHE_DIR": place})
                seconds[key].append(done.cpu)
                peak[key] = done.peak_mb
    labels = {"ours": "API", "cli": "annqc audit --json FILE", "floor": "its imports alone"}
    for key, label in labels.items():
        if key in commands:
            yield Row(
                work=name,
                ours=label,
                cpu=sorted(seconds[key])[rounds // 2],
                peak_mb=peak[key],
                goal=Goal() if key == "floor" else Goal(cpu=2.5),
                note=f"{len(works.hundred.work):,} boxes of 5 annotators",
            )
    yield from _hello(works, rounds)


def _hello(works, rounds):
    commands = {"python -c pass": ["-c", "pass"], "import annqc": ["-c", "import annqc"]}
    if has_command_line():
        commands["annqc --help"] = ["-m", "annqc", "--help"]
    times, _ = interleave_processes(commands, works.folder, rounds=rounds)
    for name in commands:
        yield Row(work="hello", ours=name, cpu=times.cpu(name), peak_mb=times.peak_mb[name])


def large(works):
    """Audit a million boxes as a fresh process, against merely decoding the same files."""
    made = works.million()
    name = f"audit {len(made.work):,} boxes"
    gold, work = works.files("million", made)
    del made
    try:
        commands = {"ours": child("audit", work, gold), "peer": child("decode", work)}
        times, _ = interleave_processes(commands, works.folder, rounds=1)
    finally:
        gold.unlink()
        work.unlink()
    yield Row(
        work=name,
        ours="fresh process, API",
        cpu=times.cpu("ours"),
        peak_mb=times.peak_mb["ours"],
        peer="msgspec typed decode of the work file",
        peer_cpu=times.cpu("peer"),
        peer_peak_mb=times.peak_mb["peer"],
        ratio=times.ratio("ours", "peer"),
        note="100 annotators; findings and scores",
    )
