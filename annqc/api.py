"""The public surface: `audit`, `lint`, `load`, and the `Audit` that ties the rooms together.

An `Audit` is one pass through read -> match -> measure -> infer -> judge -> report: whatever is
asked of it is worked out when it is first asked for, and once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError
from annqc.kernels._jit import check_engine
from annqc.match.policy import resolve_policy
from annqc.measure.offsets import BORDER_PX
from annqc.measure.tolerance import Tolerance
from annqc.read.sides import both_sides
from annqc.run.anonymous import spoken_of
from annqc.run.audit import Parameters, Run
from annqc.run.gold import one_gold
from annqc.run.keys import as_names
from annqc.run.leaveoneout import OTHERS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd

    from annqc.judge import Judgement, Spec
    from annqc.kernels._jit import Engine
    from annqc.match import MatchPolicy
    from annqc.match.policy import Method
    from annqc.report.review import Review
    from annqc.run.earlier import Earlier
    from annqc.tables import Dataset

    AnyPath = str | os.PathLike[str]
    Progress = Callable[[int, int, str], None]

__all__ = ["Audit", "audit", "lint", "load"]

DEFAULT_BY: Final = ("annotator",)


class Audit(Run):
    """A comparison of work with gold: what was found, and the ways to hand it on.

    Made by `annqc.audit` or `annqc.load`. The tables are `pairs`, `bias`, `scores` and `errors`;
    the ways out are `judge`, `summary`, `to_html`, `to_scorecard`, `to_json`, `to_csv` and `save`.

    Parameters
    ----------
    reference, candidate : Dataset
        The gold, and the work.
    parameters : Parameters, optional
        Rules; the defaults if not given.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    by : str or sequence of str
        Grouping of the findings in `summary`, `to_json` and `to_csv`; without the annotator where
        the annotators are anonymous.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(
    ...     {"ann": [], "bob": annqc.Habit.loose("right", px=6)}, n_images=60, rng=1
    ... )
    >>> audit = annqc.audit(made.work, made.gold)
    >>> bias = audit.bias()
    >>> bias.loc[bias["verdict"] == "biased", "annotator"].unique().tolist()
    ['bob']
    """

    def __init__(
        self,
        reference: Dataset,
        candidate: Dataset,
        *,
        parameters: Parameters | None = None,
        engine: Engine = "auto",
        by: str | Sequence[str] = DEFAULT_BY,
    ) -> None:
        super().__init__(reference, candidate, parameters=parameters, engine=engine)
        self.by = spoken_of(candidate, as_names(by))
        self._saved: dict[str, Earlier] = {}

    @property
    def gold(self) -> Dataset:
        """The reference side."""
        return self.reference

    @property
    def work(self) -> Dataset:
        """The candidate side."""
        return self.candidate

    def judge(
        self,
        spec: AnyPath | Mapping[str, Any] | Spec,
        *,
        only: Collection[str] | None = None,
        baseline: Run | AnyPath | None = None,
    ) -> Judgement:
        """Apply a spec: every rule becomes a check that passes, fails or stays undecided.

        Parameters
        ----------
        spec : path, str, mapping or Spec
            A ``*.annqc.toml`` file, its text, what the text means, or a spec that was read before.
        only : collection of str, optional
            Ids of the rules to apply; all of them if not given.
        baseline : Audit or path, optional
            The earlier run, or the folder where it was saved, that rules with ``no_worse_than``
            compare with. The one that the spec names if not given.

        Returns
        -------
        Judgement
            ``checks``, ``outcome`` and ``exit_code()``.

        Raises
        ------
        SpecError
            The spec is wrong; one error lists all faults.

        Examples
        --------
        >>> import annqc
        >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
        >>> rule = {"id": "recall", "measure": "recall", "at_least": 0.8}
        >>> spec = {"annqc": {"version": 1}, "rule": [rule]}
        >>> annqc.audit(made.work, made.gold).judge(spec).outcome
        'pass'
        """
        from annqc.judge import judge, load_spec
        from annqc.run.earlier import earlier_run

        if OTHERS in self.reference.annotator_ids.tolist():
            what = "rules are held against gold, and there is none"
            hint = (
                "annqc.audit(work, gold).judge(spec); without gold annqc.consensus says what it can"
            )
            raise AnnqcError(what, where="judge", hint=hint)
        read_spec = load_spec(spec)
        earlier = earlier_run(baseline, read_spec, load=load, kept=self._saved)
        return judge(self, read_spec, only=only, baseline=earlier)

    def summary(self, *, width: int = 80, everything: bool = False) -> str:
        """Return the screen that ``annqc audit`` prints, as plain text.

        Parameters
        ----------
        width : int
            Columns.
        everything : bool
            All annotators, and not the worst alone.
        """
        from annqc.report.terminal import render

        return render(self, by=self.by, everything=everything, width=width)

    def to_html(
        self,
        folder: AnyPath,
        *,
        judgement: Judgement | None = None,
        pseudonyms: bool = False,
        single_file: bool = False,
        images: AnyPath | None = None,
        url: str | None = None,
    ) -> Path:
        """Write a report: a folder of pages that works offline, on a phone and on paper.

        Parameters
        ----------
        folder : path
            Appears whole or not at all. An earlier report of this name is replaced; nothing else
            is. The folder around it must be there.
        judgement : Judgement, optional
            What `judge` gave, to be shown on the first page.
        pseudonyms : bool
            Call annotators by numbers, the same for the same data. Names of input files, and
            messages that could hold a name, are left out; who has which number is written nowhere.
            Ids and file names of images are shown as they are.
        single_file : bool
            Write one file instead, to be sent by e-mail: ``folder`` is its name, and ends in
            ``.html``.
        images : path or str, optional
            A folder of images: single annotations are shown over crops of them. They are found by
            their file names, in it or below it, and never outside of it. Or a pattern of links to
            them with ``{file_name}``, ``{image_id}`` or ``{frame}``: a report loads nothing from
            elsewhere, and shows links.
        url : str, optional
            Pattern of links to single annotations in the tool where they are mended, as of
            `review`.

        Returns
        -------
        Path
            The one file, or ``index.html`` in the folder: an overview with a page for each
            annotator and each category, and one for problems and method.

        Raises
        ------
        AnnqcError
            The folder is there and is no report, an input lies in it, or it cannot be written.
        SpecError, UnknownNameError
            ``images`` is no folder and no pattern, or ``url`` is no pattern: what runs or reads
            something, such as ``javascript:``, ``data:`` and ``file:``, is refused.

        Examples
        --------
        >>> import annqc, tempfile
        >>> made = annqc.simulate(["ann"], n_images=5, rng=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = annqc.audit(made.work, made.gold).to_html(f"{folder}/report")
        ...     sorted(one.name for one in page.parent.iterdir())
        ['annotators', 'assets', 'categories', 'index.html', 'problems.html', 'review']
        """
        from annqc.report.html import write_report

        return write_report(
            self,
            Path(folder),
            by=self.by,
            judgement=judgement,
            veiled=pseudonyms,
            single_file=single_file,
            images=images,
            url=url,
        )

    def to_scorecard(
        self,
        folder: AnyPath,
        *,
        spec: AnyPath | Mapping[str, Any] | Spec | None = None,
        only: Collection[str] | None = None,
        baseline: Run | AnyPath | None = None,
        vendor: str | None = None,
        batch: str | None = None,
    ) -> Path:
        """Write a scorecard: a printable page for every vendor and batch, and CSV, JSON, Markdown.

        Parameters
        ----------
        folder : path
            Appears whole or not at all. An earlier scorecard of this name is replaced; nothing else
            is. The folder around it must be there.
        spec : path, str, mapping or Spec, optional
            The rules of acceptance, applied to the images of every page by themselves. Without them
            nothing is accepted or refused.
        only : collection of str, optional
            Ids of the rules to apply; all of them if not given.
        baseline : Audit or path, optional
            The earlier run that rules with ``no_worse_than`` compare with, as in `judge`.
        vendor, batch : str, optional
            What tells vendors and batches apart: a column of the annotations or images; ``"stem"``
            or ``"parent"``, the name of the file or of its folder; ``"annotator"``; or a CSV file
            with ``annotator``, ``image_id`` or ``file_name`` beside ``vendor`` (and ``batch``).
            One page for everything if neither is given.

        Returns
        -------
        Path
            ``index.html`` in the folder, beside ``pages``, ``scorecard.csv``, ``scorecard.json``
            and ``summary.md``.

        Raises
        ------
        AnnqcError
            There is no gold; the folder is there and is no scorecard, an input lies in it, or it
            cannot be written.
        SpecError, UnknownNameError, ReadError
            The spec is wrong; or what tells vendors apart is not there, or makes too many pages.

        Notes
        -----
        Of many pages that keep a rule some would be refused by chance, so refusals go through
        Benjamini and Hochberg's procedure over the pages, rule by rule.

        Examples
        --------
        >>> import annqc, csv, tempfile
        >>> made = annqc.simulate(
        ...     {"ann": [], "bob": annqc.Habit.loose("right", px=6)}, n_images=60, rng=1
        ... )
        >>> rule = {"id": "edges", "measure": "edge_offset", "by": ["annotator"]}
        >>> spec = {"annqc": {"version": 1}, "rule": [rule]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     audit = annqc.audit(made.work, made.gold)
        ...     page = audit.to_scorecard(f"{folder}/card", spec=spec, vendor="annotator")
        ...     with (page.parent / "scorecard.csv").open(encoding="utf-8") as file:
        ...         [(row["vendor"], row["verdict"]) for row in csv.DictReader(file)]
        [('ann', 'accepted'), ('bob', 'refused')]
        """
        from annqc.judge import load_spec
        from annqc.report.scorecard import write_scorecard
        from annqc.run.earlier import earlier_run

        rules = None if spec is None else load_spec(spec)
        earlier = (
            None if rules is None else earlier_run(baseline, rules, load=load, kept=self._saved)
        )
        return write_scorecard(
            self,
            Path(folder),
            spec=rules,
            only=only,
            baseline=earlier,
            vendor=vendor,
            batch=batch,
        )

    def to_json(
        self, path: AnyPath | None = None, *, judgement: Judgement | None = None
    ) -> str | Path:
        """Write everything but the single pairs as JSON.

        Parameters
        ----------
        path : path, optional
            The file, which appears whole or not at all; its folder must be there.
        judgement : Judgement, optional
            What `judge` gave, to go into the document.

        Returns
        -------
        str or Path
            The text, or the path if one was given.

        Raises
        ------
        AnnqcError
            The path is an input of this audit, or cannot be written.

        Notes
        -----
        A JSON Schema, ``docs/audit.schema.json``, documents the shape: versions, inputs with their
        digests, parameters, findings, scores, problems and the first hundred errors; of tracks,
        findings, scores and the first hundred events.
        """
        from annqc.report.files import spare_inputs, whole_file
        from annqc.report.json import audit_document, encode

        if path is not None:
            spare_inputs([Path(path)], (self.reference, self.candidate))
        data = encode(audit_document(self, by=self.by, judgement=judgement))
        if path is None:
            return data.decode()
        with whole_file(Path(path)) as file:
            file.write(data)
        return Path(path)

    def to_csv(self, folder: AnyPath, *, parquet: bool = False) -> list[Path]:
        """Write pairs, bias, scores, errors and problems, one table a file.

        Where both sides have polygons or masks, there are ``outlines`` and ``outline_scores``
        besides; where the gold has tracks, ``tracks, track_list, track_events`` and, where the work
        has them too, ``tracking_scores``.

        Parameters
        ----------
        folder : path
            Made where it is not there, one level deep. Files of these names are replaced.
        parquet : bool
            Parquet instead of CSV; needs pyarrow.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        AnnqcError
            A table would replace an input, or cannot be written.
        """
        from annqc.report.tablefiles import write_tables

        return write_tables(self, Path(folder), by=self.by, parquet=parquet)

    def review(
        self, *, top: int | None = None, by_image: bool = False, url: str | None = None
    ) -> Review:
        """Rank annotations by what a look at them is expected to gain.

        Parameters
        ----------
        top : int, optional
            So many at most; all that are worth a look if not given.
        by_image : bool
            Set what is on one image together, so that it is opened once.
        url : str, optional
            Pattern of links into an annotation tool, with ``{image_id}``, ``{file_name}``,
            ``{annotation_id}`` or ``{frame}``: ``http``, ``https`` or relative.

        Returns
        -------
        Review
            The queue: ``to_frame``, and ``to_csv, to_coco, to_cvat, to_label_studio,
            to_fiftyone`` for the tools.

        Raises
        ------
        SpecError, UnknownNameError
            ``top`` is not a positive number, or ``url`` is no such pattern.

        Examples
        --------
        >>> import annqc
        >>> made = annqc.simulate(["ann"], n_images=5, rng=1)
        >>> len(annqc.audit(made.work, made.gold).review(top=3))
        3
        """
        from annqc.report.review import Review

        return Review(self, top=top, by_image=by_image, url=url)

    def save(self, folder: AnyPath) -> Path:
        """Save the audit as a folder that `annqc.load` opens.

        Parameters
        ----------
        folder : path
            Appears whole or not at all. An earlier saved run of this name is replaced; nothing else
            is.

        Raises
        ------
        AnnqcError
            The folder is there and is no saved run, an input lies in it, or it cannot be written.

        Examples
        --------
        >>> import annqc, tempfile
        >>> made = annqc.simulate(["ann"], n_images=5, rng=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = annqc.audit(made.work, made.gold).save(f"{folder}/run.annqc")
        ...     annqc.load(path).work.annotator_ids.tolist()
        ['ann']
        """
        from annqc.report.saved import save_run

        return save_run(self, Path(folder), by=self.by)

    def __repr__(self) -> str:
        from annqc.judge.wording import number_of

        boxes = number_of(len(self.work), "box", "boxes")
        who = number_of(len(self.work.annotator_ids), "annotator")
        of = f"against {len(self.gold):,} gold on {number_of(len(self.gold.image_table), 'image')}"
        return f"<annqc.Audit: {boxes} by {who} {of}, tolerance {self.parameters.tolerance}>"


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
