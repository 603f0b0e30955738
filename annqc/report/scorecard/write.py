"""report: a scorecard as a folder: an index, a page each, CSV, JSON and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annqc.errors import AnnqcError
from annqc.report.files import spare_inputs
from annqc.report.json import encode
from annqc.report.scorecard.document import make_document
from annqc.report.scorecard.folder import SCORECARD
from annqc.report.scorecard.markdown import summary
from annqc.report.scorecard.pages import render
from annqc.report.scorecard.sheet import sheet
from annqc.report.tablefiles import csv_bytes
from annqc.report.wholefolder import swap_in
from annqc.run.leaveoneout import OTHERS
from annqc.run.scorecard.checks import judge_units
from annqc.run.scorecard.units import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from annqc.judge.model import Spec
    from annqc.run.audit import Run
    from annqc.run.scorecard.checks import Held

__all__ = ["write_scorecard"]


def write_scorecard(
    run: Run,
    folder: Path,
    *,
    spec: Spec | None = None,
    only: Collection[str] | None = None,
    baseline: Callable[[], Run] | None = None,
    vendor: str | None = None,
    batch: str | None = None,
) -> Path:
    """Write a page for every vendor and batch, and what holds for all of them.

    Parameters
    ----------
    run : Run
        The comparison with gold.
    folder : Path
        Appears whole or not at all. An earlier scorecard is replaced; nothing else is.
    spec : Spec, optional
        The rules of acceptance; without any nothing is accepted or refused.
    only : collection of str, optional
        Ids of the rules to apply; all of them if not given.
    baseline : callable, optional
        Gives the earlier run that rules with ``no_worse_than`` compare with.
    vendor, batch : str, optional
        What tells vendors and batches apart: see `annqc.run.scorecard.labels.label_of`.

    Returns
    -------
    Path
        ``index.html`` in the folder.

    Raises
    ------
    AnnqcError
        There is no gold; the folder is something else, or an input lies in it; or the system
        refuses.
    UnknownNameError, ReadError, SpecError
        What tells the vendors apart is not there, cannot be read, or makes too many pages.
    """
    if OTHERS in run.reference.annotator_ids.tolist():
        what = "a scorecard holds work against gold, and there is none"
        raise AnnqcError(what, where="scorecard", hint="give gold: annqc audit WORK --gold GOLD")
    SCORECARD.refuse_foreign(folder)
    lists = [one for one in (vendor, batch) if one is not None and one.lower().endswith(".csv")]
    spare_inputs([folder], (run.reference, run.candidate), also=lists)
    found = cut(run, vendor=vendor, batch=batch)
    held: list[Held | None] = [None] * len(found.units)
    if spec is not None:
        held = judge_units(found, spec, only=only, baseline=baseline)
    document = make_document(found, held, spec)
    contents = render(document)
    contents["scorecard.csv"] = csv_bytes(sheet(document))
    contents["scorecard.json"] = encode(document)
    contents["summary.md"] = summary(document).encode("utf-8", "backslashreplace")
    SCORECARD.refuse_foreign(folder)
    swap_in(contents, folder)
    return folder / "index.html"
