"""report: the folder of a scorecard, which replaces its like alone."""

from __future__ import annotations

import re
from typing import Final

from annqc.report.ownfolder import OwnFolder

__all__ = ["SCORECARD"]

SCORECARD: Final = OwnFolder(
    kind="scorecard",
    generator='<meta name="generator" content="annqc scorecard',
    files=("index.html", "scorecard.csv", "scorecard.json", "summary.md"),
    inside={"pages": re.compile(r"[a-z0-9-]+\.html")},
)
