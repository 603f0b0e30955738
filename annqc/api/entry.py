"""The public surface: `audit`, `lint` and `load`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from annqc.api.audited import Audit
from annqc.api.outputs import DEFAULT_BY
from annqc.kernels._jit import check_engine
from annqc.match.policy import resolve_policy
from annqc.measure.offsets import BORDER_PX
from annqc.measure.tolerance import Tolerance
from annqc.read.sides import both_sides
from annqc.run.audit import Parameters
from annqc.run.gold import one_gold

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from annqc.kernels._jit import Engine
    from annqc.match import MatchPolicy
    from annqc.match.policy import Method
    from annqc.tables import Dataset

    AnyPath = str | os.PathLike[str]
    Progress = Callable[[int, int, str], None]

__all__ = ["audit", "lint", "load"]


def audit(
    work: Any,
    gold: Any = None,
    *,
    annotator: object = None,
    only: object = None,
    gold_only: object = None,
    by: str | Sequence[str] = DEFAULT_BY,
    tolerance: str | Tolerance = "max(1 px, 2 %)",
    confidence: float = 0.95,
    border_px: float = BORDER_PX,
    policy: MatchPolicy | None = None,
    method: Method | None = None,
    iou: float | None = None,
    pair_iou: float | None = None,
    gate: float | None = None,
    ambiguity: float | None = None,
    low_overlap: float | None = None,
    format: str = "auto",
    gold_format: str = "auto",
    categories: Sequence[str] | Mapping[Any, str] | AnyPath | None = None,
    image_sizes: Any = None,
    box_format: str | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    mask_object: object = None,
    mask_values: str | None = None,
    shapes: bool | None = None,
    strict: bool = False,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Audit:
    """Compare annotators' work with gold.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What is judged; one file or many, one annotator a file or many.
    gold : the same, optional
        What is trusted. Without it everybody is compared with a consensus of the others, in which
        an offset that all have cannot be seen; `annqc.consensus` says more.
    annotator : object, optional
        Who drew the work: ``"stem"``, ``"parent"``, a field, ``"=name"``, ``"anonymous"``, or a
        pattern of file names; see `annqc.read`. A pattern goes for the gold too, where its file
        names fit.
    only : str, number, or sequence of those, optional
        Annotators whose work is judged; everybody's if not given.
    gold_only : the same, optional
        Annotators whose annotations are the gold. They are taken out of ``gold``, told apart by the
        rule of ``annotator``; without ``gold`` they are taken out of the work, and the others are
        judged.
    by : str or sequence of str
        Grouping of the findings in `Audit.summary`, `Audit.to_json` and `Audit.to_csv`; any of
        `Audit.columns`. `Audit.bias` takes its own.
    tolerance : str or Tolerance
        Largest offset that is no bias: ``"2 px"``, ``"3 %"`` of the gold box's side, or
        ``"max(1 px, 2 %)"``.
    confidence : float
        Level of the intervals; one minus it is the level of the tests and the false discovery rate.
    border_px : float
        Edges this close to the image border are left out of the offsets, where image sizes are
        known.
    policy : MatchPolicy, optional
        How boxes are paired; the six arguments that follow change single parts of it.
    method : {"optimal", "coco", "cvat-classic", "cvat-2026"}, optional
        Who is paired with whom.
    iou : float, optional
        Counting threshold, for missed and spurious boxes, precision and recall.
    pair_iou, gate, ambiguity, low_overlap : float, optional
        See `annqc.MatchPolicy`.
    format, gold_format : str
        Formats of the two sides, told by content if not given.
    categories, image_sizes, box_format, columns, mask_object, mask_values
        What the files of either side do not say; see `annqc.read`.
    shapes : bool, optional
        Read the polygons and masks of COCO files too, on both sides; other formats that have them
        are read with them anyway.
    strict : bool
        Refuse inputs that have rows which cannot be used.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    progress : callable, optional
        Called with (files done, files, name of the file) while files are read.

    Returns
    -------
    Audit

    Raises
    ------
    AnnqcError
        There is no gold, and fewer than two annotators. Or nobody is left to judge.
    ReadError
        A side cannot be read.
    SpecError, UnknownNameError
        A parameter is written wrongly, or there is no such annotator.
    MatchError
        The two sides have no image in common; raised when the first result is asked for.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate({"ann": [], "eve": annqc.Habit.misses(0.3)}, n_images=40, rng=1)
    >>> audit = annqc.audit(made.work, made.gold, tolerance="2 px")
    >>> scores = audit.scores().set_index("annotator")
    >>> bool(scores.loc["eve", "recall_high"] < scores.loc["ann", "recall_low"])
    True
    """
    changes: dict[str, Any] = {"method": method, "iou": iou, "pair_iou": pair_iou}
    changes |= {"gate": gate, "ambiguity": ambiguity, "low_overlap": low_overlap}
    parameters = Parameters(
        policy=resolve_policy(policy, {k: v for k, v in changes.items() if v is not None}),
        tolerance=Tolerance.parse(tolerance),
        confidence=confidence,
        border_px=border_px,
    )
    check_engine(engine)
    files = {"categories": categories, "image_sizes": image_sizes}
    files |= {"box_format": box_format, "columns": columns}
    files |= {"mask_object": mask_object, "mask_values": mask_values, "shapes": shapes}
    reference, candidate = both_sides(
        work,
        gold,
        annotator=annotator,
        only=only,
        gold_only=gold_only,
        formats=(format, gold_format),
        files=files,
        shared={"strict": strict, "progress": progress},
    )
    if reference is None:
        from annqc.run.consensus import make_consensus
        from annqc.run.leaveoneout import against_the_others

        sides = against_the_others(make_consensus(candidate, confidence=confidence))
        return Audit(*sides, parameters=parameters, engine=engine, by=by)
    return Audit(one_gold(reference), candidate, parameters=parameters, engine=engine, by=by)


def lint(work: Any, **options: Any) -> pd.DataFrame:
    """List every row that cannot be used, or is odd, with where it stands.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What to check.
    **options
        Arguments of `annqc.read`.

    Returns
    -------
    DataFrame
        One row a problem: ``kind, severity, source, where, annotation_id, image_id, annotator,
        message``. ``dropped`` rows take no part in anything, ``kept`` ones do.

    Raises
    ------
    ReadError
        The source cannot be read at all.

    Examples
    --------
    >>> import annqc
    >>> len(annqc.lint(annqc.simulate(["ann"], n_images=3, rng=1).work))
    0
    """
    from annqc.read import lint as lint_source

    return lint_source(work, **options)


def load(folder: AnyPath) -> Audit:
    """Open an audit that `Audit.save` wrote; it answers as the one that was saved.

    Parameters
    ----------
    folder : path
        The saved run.

    Returns
    -------
    Audit

    Raises
    ------
    AnnqcError
        The folder is no saved run, is damaged, or was saved by another version.
    """
    from annqc.report.opened import open_run

    def make(
        reference: Dataset, candidate: Dataset, parameters: Parameters, by: tuple[str, ...]
    ) -> Audit:
        return Audit(reference, candidate, parameters=parameters, by=by)

    made: Audit = open_run(Path(folder), make)
    return made
