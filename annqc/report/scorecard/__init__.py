"""report: a delivery by vendor and batch: accepted or refused, with samples and intervals.

`write_scorecard` cuts the delivery up, applies the spec to every piece, and writes a page each, an
index, and the same as CSV, JSON and Markdown.
"""

from annqc.report.scorecard.folder import SCORECARD
from annqc.report.scorecard.write import write_scorecard

__all__ = ["SCORECARD", "write_scorecard"]
