"""Reading a large COCO file with polygons."""

from __future__ import annotations

import json

from .report import Goal, Row
from .timing import Times, child, interleave_processes, same
from .works import write_polygons

ANNOTATIONS = 900_000


def read(works):
    """Read 900,000 annotations with polygons, for their boxes."""
    n = round(ANNOTATIONS * works.size.share)
    path = write_polygons(works.folder / "polygons.json", n)
    try:
        megabytes = path.stat().st_size / 1e6
        commands = {"ours": child("read", path), "peer": child("decode", path)}
        seen = {name: [] for name in commands}
        peak = dict.fromkeys(commands, 0.0)
        for _ in range(3 if works.size.is_full else 1):
            times, texts = interleave_processes(commands, works.folder, rounds=0)
            values = {name: json.loads(text.splitlines()[-1]) for name, text in texts.items()}
            same("annotations", values["ours"]["n"], values["peer"]["n"])
            same("total area", values["ours"]["area"], values["peer"]["area"], within=1e-9)
            for name, value in values.items():
                seen[name].append(value["cpu"])
                peak[name] = max(peak[name], times.peak_mb[name])
    finally:
        path.unlink()
    times = Times(seen, peak)
    yield Row(
        work=f"read {n:,} annotations, {megabytes:,.0f} MB",
        ours="annqc.read",
        cpu=times.cpu("ours"),
        peer="msgspec typed decode, no polygons",
        peer_cpu=times.cpu("peer"),
        ratio=times.ratio("ours", "peer"),
        goal=Goal(at_most=1.3, peak_mb=1.3 * 1024),
        peak_mb=peak["ours"],
        peer_peak_mb=peak["peer"],
        note="fresh processes; CPU of the call, peak of the process; annqc also checks every row "
        "and lays out columns",
    )
