"""What type checkers see of the public surface. mypy checks this file; nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import annqc
import annqc.read.registry
from annqc.match import Matches
from annqc.simulate import Simulation

if TYPE_CHECKING:
    import pandas as pd


def the_main_job() -> pd.DataFrame:
    """Read, match, audit: each name is the function, not the subpackage of the same name."""
    gold = annqc.read("gold.json")
    work = annqc.read("vendor/*.json", annotator="stem")
    assert_type(gold, annqc.Dataset)
    assert_type(annqc.match(gold, work), Matches)
    assert_type(annqc.simulate(3, rng=1), Simulation)
    audit = annqc.audit(work, gold)
    assert_type(audit, annqc.Audit)
    assert_type(annqc.load("run.annqc"), annqc.Audit)
    assert_type(annqc.__version__, str)
    assert_type(audit.to_scorecard("card", spec="boxes.annqc.toml", vendor="stem"), Path)
    return audit.bias(by=("annotator",))
