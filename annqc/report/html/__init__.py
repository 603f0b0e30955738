"""report: an audit as a folder of pages that works offline, on a phone and on paper."""

from annqc.report.html.folder import refuse_foreign
from annqc.report.html.single import refuse_other
from annqc.report.html.write import write_report

__all__ = ["refuse_foreign", "refuse_other", "write_report"]
