"""The deliveries that the plugin's tests judge, and the spec that judges them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from annqc.simulate import Habit, simulate
from annqc.write import write_coco

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
[annqc]
version = 1
gold = "data/gold.json"
candidate = "data/work*.json"

[[rule]]
id = "no-edge-bias"
measure = "edge_offset"

[[rule]]
id = "recall"
measure = "recall"
at_least = 0.95
"""

BIASED = {"ann": [], "bob": Habit.loose("right", px=4)}
MADE = {"clean": (["ann", "bob"], 40), "biased": (BIASED, 40), "small": (["ann"], 4)}


def deliver(name: str, folder: Path) -> Path:
    """Write gold.json and work.json: a clean delivery, a biased one, or a small one."""
    annotators, n_images = MADE[name]
    made = simulate(annotators, n_images=n_images, rng=1)
    write_coco(made.gold, folder / "gold.json")
    write_coco(made.work, folder / "work.json")
    gold = json.loads((folder / "gold.json").read_text(encoding="utf-8"))
    gold["categories"].append({"id": 99, "name": "bus"})  # a category without objects
    (folder / "gold.json").write_text(json.dumps(gold), encoding="utf-8")
    return folder
