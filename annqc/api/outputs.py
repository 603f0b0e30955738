"""The public surface: the ways out of an audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from annqc.run.anonymous import spoken_of
from annqc.run.audit import Run
from annqc.run.keys import as_names

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping, Sequence

    from annqc.judge import Judgement, Spec
    from annqc.kernels._jit import Engine
    from annqc.report.review import Review
    from annqc.run.audit import Parameters
    from annqc.run.earlier import Earlier
    from annqc.tables import Dataset

    AnyPath = str | os.PathLike[str]

__all__ = ["DEFAULT_BY", "Outputs"]

DEFAULT_BY = ("annotator",)


class Outputs(Run):
    """A run that can be shown, written and handed on; `Audit` is the one that users meet."""

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

        rules = None if spec is None else load_spec(spec)
        earlier = None if rules is None else self._earlier(baseline, rules)
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
            Made where it is not there, one level deep. Earlier tables of these names are replaced;
            other files of these names are refused.
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

    def _earlier(self, baseline: Run | AnyPath | None, spec: Spec) -> Callable[[], Run] | None:
        """Return the run that rules with ``no_worse_than`` compare with, opened once."""
        from annqc.api.entry import load
        from annqc.run.earlier import earlier_run

        return earlier_run(baseline, spec, load=load, kept=self._saved)
