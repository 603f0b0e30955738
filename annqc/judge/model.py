"""judge: what a spec says, once it is read. `annqc.judge.spec` reads it."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from annqc.errors import SpecError, UnknownNameError
from annqc.judge.paths import folder_of, locate, named_folders, shared_paths
from annqc.judge.reading import ReadSpec
from annqc.judge.registry import find_measure
from annqc.match.policy import MatchPolicy  # noqa: TC001 - msgspec resolves the types of fields
from annqc.measure.tolerance import Tolerance  # noqa: TC001

__all__ = [
    "SUFFIX",
    "VERSION",
    "DatasetSpec",
    "DrawnAs",
    "Example",
    "Header",
    "PreprocessedAs",
    "ReadSpec",
    "Rule",
    "Scalar",
    "Spec",
    "UndecidedIs",
]

VERSION: Final = 1
SUFFIX: Final = ".annqc.toml"
"""How the name of a spec file ends."""

Scalar = str | int | float | bool


UndecidedIs = Literal["skip", "fail", "pass"]
"""What becomes of a check that the data cannot settle."""
DrawnAs = Literal["box", "polygon", "mask", "tracks"]
"""What simulated annotators draw."""
PreprocessedAs = Literal["none", "mot", "mot20"]
"""What is left out before tracking is scored."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table ``[annqc]``: the version of the language, the data, and what is extended.

    Attributes
    ----------
    version : int
        Version of the language; 1.
    gold, candidate : tuple of str
        Files, folders or patterns, seen from the folder of the spec; left out where the caller
        brings them.
    annotator : str or None
        Who drew: ``"stem"``, ``"parent"``, a field, or ``"=name"``, as `annqc.read` takes it.
    baseline : str or None
        A saved run that rules with ``no_worse_than = "baseline"`` compare with.
    folders : str or None
        A pattern of folders, each a dataset of its own: ``gold``, ``candidate`` and ``baseline``
        are then seen from each of them.
    extends : str or None
        A spec whose rules and settings this one starts from: the name of a profile, or a path.
    without : tuple of str
        Ids of inherited rules that do not apply.
    undecided : {"skip", "fail", "pass"} or None
        What a test run makes of checks that the data cannot settle; the run decides if it is left
        out.
    """

    version: int = VERSION
    gold: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()
    annotator: str | None = None
    baseline: str | None = None
    folders: str | None = None
    extends: str | None = None
    without: tuple[str, ...] = ()
    undecided: UndecidedIs | None = None


class DatasetSpec(ReadSpec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table ``[[dataset]]``: one delivery and its gold. What it leaves out ``[annqc]`` says.

    Attributes
    ----------
    name : str
        Unique in its spec, of the letters that ids of rules have; empty for the only dataset.
    gold, candidate : tuple of str
        Files, folders or patterns; in `Spec.datasets` seen from where the process runs.
    annotator, baseline : str or None
        As in ``[annqc]``.
    format, gold_format, box_format, columns, categories, image_sizes : see `ReadSpec`
        As in ``[read]``.
    mask_object, mask_values : str or None
        As in ``[read]``.
    shapes : bool or None
        As in ``[read]``.
    only, gold_only : tuple of str
        As in ``[read]``.
    """

    name: str = ""
    gold: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()
    annotator: str | None = None
    baseline: str | None = None


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table ``[[example]]``: simulated annotators, and what the rules must say of them.

    Attributes
    ----------
    name : str
        Unique in its spec, of the letters that ids of rules have.
    annotators : dict of str to tuple of str
        Annotator -> habits, such as ``"loose right 5 px"``, as `annqc.Habit.parse` reads them;
        no habit is a clean annotator.
    images : int
        Images that each of them draws on; of tracks, frames of each sequence.
    seed : int
        Seed of the simulation.
    scene : dict
        Further arguments of `annqc.simulate`, `annqc.simulate.outlines` or
        `annqc.simulate.tracks`.
    expect : dict of str to str
        Id of a rule -> the outcome it must have.
    drawn_as : {"box", "polygon", "mask", "tracks"}
        What is drawn. Outlines and tracks have habits of their own, such as ``"dilated 1.5 px"``
        and ``"lag 2 frames"``.
    """

    name: str
    annotators: dict[str, tuple[str, ...]]
    images: int = 60
    seed: int = 1
    scene: dict[str, Any] = {}
    expect: dict[str, str]
    drawn_as: DrawnAs = "box"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table ``[[rule]]``: one thing that is asked.

    Attributes
    ----------
    id : str
        Name of the rule, unique in its spec.
    measure : str
        What is asked; see `annqc.judge.measures`.
    by : tuple of str
        Columns; every combination of their values is a group that must pass.
    where : dict of str to tuple
        Only groups with one of these values in this column. Each value is a group of its own.
    tolerance : Tolerance or None
        Largest offset that is no bias; that of the audit if left out.
    confidence : float or None
        Level of the intervals; that of the audit if left out.
    at_least, at_most : float or None
        The limit, for measures that have one.
    no_worse_than : {"baseline"} or None
        Instead of a limit or a tolerance: how the saved run of the spec did, paired with it.
    margin : float, Tolerance or None
        How much worse than the baseline is still no worse: a number for rates, ``"0.5 px"`` or the
        like for offsets; the default of the measure if left out.
    sequential : bool
        Whether to judge by confidence sequences and e-values, which hold however often one looks.
    kind : tuple of str
        Kinds of errors or problems to count, for measures that count them.
    categories : tuple of str
        Categories that must be there, for measures of coverage; all of the gold if empty.
    preprocess : {"none", "mot", "mot20"} or None
        Leave out what MOTChallenge does before tracking is scored: boxes on distractors, and gold
        that does not count; nothing if left out.
    why : str or None
        The reason for the rule, shown where it fails.
    """

    id: str
    measure: str
    by: tuple[str, ...] = ("annotator",)
    where: dict[str, tuple[Scalar, ...]] = {}
    tolerance: Tolerance | None = None
    confidence: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    no_worse_than: Literal["baseline"] | None = None
    margin: float | Tolerance | None = None
    sequential: bool = False
    kind: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    preprocess: PreprocessedAs | None = None
    why: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns to group by: those of ``by``, then those that only ``where`` names."""
        return (*self.by, *(name for name in self.where if name not in self.by))


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole spec.

    Attributes
    ----------
    annqc : Header
        Version and files.
    match : MatchPolicy or None
        Rules of matching; None where the spec leaves them to the audit.
    read : ReadSpec
        How the data are read; `reading` has its files seen from where the process runs.
    rules : tuple of Rule
        At least one.
    path : str or None
        File it was read from.
    lines : dict of str to int
        Line of each rule by id, in the file where it stands; empty where the spec was no text.
    origins : dict of str to str
        File in which each inherited rule stands, by id; the others stand in ``path``.
    given : tuple of DatasetSpec
        The tables ``[[dataset]]`` as they were written; `datasets` is what they come to.
    examples : tuple of Example
        Simulated work, and what the rules must say of it. Not inherited.
    """

    annqc: Header
    match: MatchPolicy | None
    rules: tuple[Rule, ...]
    read: ReadSpec = ReadSpec()
    path: str | None = None
    lines: dict[str, int] = {}
    origins: dict[str, str] = {}
    given: tuple[DatasetSpec, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def name(self) -> str:
        """Name for messages."""
        return "<spec>" if self.path is None else self.path

    @property
    def is_profile(self) -> bool:
        """Whether it names no data: a profile, for any delivery."""
        header = self.annqc
        return not (header.gold or header.candidate or header.folders or self.given)

    @property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """Every dataset with its paths seen from where the process runs; none for a profile.

        Raises
        ------
        SpecError
            Where no folder matches ``folders``, or two of them would have the same name or the
            same baseline.
        """
        if self.is_profile:
            return ()
        if self.annqc.folders is not None:
            found = named_folders(locate(self.annqc.folders, self._folder), where=self.name)
            each = tuple(
                self._whole(DatasetSpec(name=name), folder) for name, folder in found.items()
            )
            for name, other in shared_paths((one.name, one.baseline) for one in each).items():
                what = f"the datasets {other!r} and {name!r} would share one baseline"
                hint = "write it as seen from each of the folders"
                raise SpecError(what, where=self.name, found=self.annqc.baseline, hint=hint)
            return each
        return tuple(self._whole(one, self._folder) for one in self.given or (DatasetSpec(),))

    def dataset(self, name: str) -> DatasetSpec:
        """Look a dataset up.

        Raises
        ------
        UnknownNameError
            Where there is none of that name.
        """
        known = {one.name: one for one in self.datasets}
        if name not in known:
            kind = "dataset"
            raise UnknownNameError.among(kind, name, filter(None, known), where=self.path)
        return known[name]

    @property
    def gold(self) -> list[str]:
        """The paths of the gold, where the spec has one dataset of its own; see `datasets`."""
        return self._plain(self.annqc.gold)

    @property
    def candidate(self) -> list[str]:
        """The paths of the candidate, where the spec has one dataset of its own."""
        return self._plain(self.annqc.candidate)

    @property
    def reading(self) -> ReadSpec:
        """How data are read that the caller brings; each of `datasets` has its own."""
        return ReadSpec(**ReadSpec().over(self.read_as_asked, self._folder))

    @property
    def asks_for_outlines(self) -> bool:
        """Whether a rule looks at polygons and masks, so that both sides are read with them."""
        return any(find_measure(rule.measure).outlines for rule in self.rules)

    @property
    def read_as_asked(self) -> ReadSpec:
        """The table ``[read]``, with outlines where it says nothing of them and a rule needs them.

        A dataset that says otherwise has its way.
        """
        if self.read.shapes is not None or not self.asks_for_outlines:
            return self.read
        return msgspec.structs.replace(self.read, shapes=True)

    @property
    def _folder(self) -> str | None:
        return None if self.path is None else folder_of(self.path)

    def _plain(self, texts: tuple[str, ...]) -> list[str]:
        several = self.given or self.annqc.folders is not None
        return [] if several else [locate(text, self._folder) for text in texts]

    def _whole(self, one: DatasetSpec, folder: str | None) -> DatasetSpec:
        """Fill in what ``[annqc]`` says, and locate every path."""
        header = self.annqc
        baseline = one.baseline or header.baseline
        return DatasetSpec(
            name=one.name,
            gold=tuple(locate(text, folder) for text in one.gold or header.gold),
            candidate=tuple(locate(text, folder) for text in one.candidate or header.candidate),
            annotator=one.annotator or header.annotator,
            baseline=None if baseline is None else locate(baseline, folder),
            **one.over(self.read_as_asked, self._folder),
        )
