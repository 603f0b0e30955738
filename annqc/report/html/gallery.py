"""report: the gallery of each person, single annotations with gold and drawing over the image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.chosen import (
    ACCUSED,
    EVIDENCE,
    FARTHEST,
    SECTIONS,
    Chooser,
    anchor_of,
    first_rows,
)
from annqc.report.html.crops import Crops, Wanted, cut_crops
from annqc.report.html.edges import PairEdges
from annqc.report.html.imagefiles import ImageFolder
from annqc.report.html.links import link_of
from annqc.report.html.neighbours import Neighbours
from annqc.report.html.shots import MOST_POINTS, lay_out, outline, window_of
from annqc.report.plain import clean_text
from annqc.report.review.text import review_texts
from annqc.run.review import image_columns, queue_columns
from annqc.run.review.rows import is_consensus

if TYPE_CHECKING:
    from annqc.report.html.chosen import Pick
    from annqc.report.html.edges import Edges
    from annqc.report.html.shots import Drawing
    from annqc.report.html.story import Person, Story
    from annqc.report.review.links import LinkPattern
    from annqc.tables import Array, Floats

__all__ = ["Gallery", "Links", "Section", "Shot"]

N_FIRST: Final = 12
N_NAMES: Final = 25
FEW_POINTS: Final = 60
"""Vertices of an outline where there are many people."""
_SAID: Final = {
    "missed": "not drawn",
    "far": "not drawn; the nearest box is far off",
    "spurious": "around nothing that {} has",
    "duplicate": "drawn twice",
    "near_miss": "too little overlap to count",
    "merged": "one box around several objects",
    "split": "in pieces",
    "loose_outline": "the outline is far off",
    "odd_outline": "drawn unlike the others",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where images and annotations are.

    Attributes
    ----------
    images : Path or LinkPattern, optional
        A folder, or links.
    tool : LinkPattern, optional
        Links to annotations in the tool in which they are mended.
    spared : Path, optional
        The report itself, which is no place for images.
    root : str
        Path from the page of a person to the folder of the report.
    """

    images: Path | LinkPattern | None = None
    tool: LinkPattern | None = None
    spared: Path = field(default_factory=Path)
    root: str = "../"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One annotation on a page."""

    anchor: str
    drawing: Drawing
    image: str
    annotation: str
    said: str
    why: str
    open: str | None
    picture: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some annotations of a page that are shown for the same reason."""

    title: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """What is known of a shot before its crop is cut."""

    pick: Pick
    image: int
    gold: list[Floats] | None
    drawn: list[Floats] | None
    boxes: Floats


class Gallery:
    """What the galleries of all people show.

    Parameters
    ----------
    story : Story
        The audit.
    queue : dict of str to array
        From `annqc.run.review.queue_rows`.
    links : Links
        Where images and annotations are.
    """

    def __init__(self, story: Story, queue: dict[str, Array], links: Links) -> None:
        run = story.run
        self.story, self._links, self.queue = story, links, queue
        self.other = "the others" if is_consensus(run) else "gold"
        self._images = image_columns(run)
        self._edges = PairEdges(run)
        files, ids = (self._images[name].tolist() for name in ("file_name", "image_id"))
        self._names = [str(i) if f is None else str(f) for f, i in zip(files, ids, strict=True)]
        self._sizes = np.column_stack([self._images["width"], self._images["height"]])
        first = first_rows(run, queue, N_FIRST)
        chooser = Chooser(story, queue, first)
        self._contradicted = chooser.contradicted
        self._neighbours = Neighbours(run.matches)
        self._most = FEW_POINTS if chooser.many else MOST_POINTS
        self._specs = {one.page: [self._spec(p) for p in chooser.of(one)] for one in story.people}
        self._anchors = {
            page: {one.pick.anchor for one in specs} for page, specs in self._specs.items()
        }
        self.crops = self._cut(first)
        self.first = self._first(first)

    @property
    def files(self) -> dict[str, bytes]:
        """Crops, by path in the report."""
        return self.crops.files

    @property
    def with_crops(self) -> bool:
        """Whether a folder of images was given."""
        return isinstance(self._links.images, Path)

    @property
    def _patterned(self) -> LinkPattern | None:
        """Pattern of links to images, if that was given."""
        images = self._links.images
        return None if isinstance(images, Path) else images

    def of(self, person: Person) -> list[Section]:
        """Return the gallery of a person."""
        specs = self._specs[person.page]
        found = []
        for title in SECTIONS:
            shots = tuple(self._shot(person, one) for one in specs if one.pick.section == title)
            if shots:
                found.append(Section(title=title, shots=shots))
        return found

    def farthest(self, person: Person) -> str | None:
        """Return the id of the annotation of a person that is farthest off, if it is shown."""
        specs = self._specs[person.page]
        shown = (one.pick for one in specs if one.pick.section in {ACCUSED, FARTHEST})
        return next((one.anchor for one in shown), None)

    def anchor(self, person: Person, reference: int, candidate: int) -> str | None:
        """Return the id of an annotation, or of an object that was not drawn, if it is shown."""
        anchor = anchor_of(reference, candidate)
        return anchor if anchor in self._anchors[person.page] else None

    def troubles(self) -> list[dict[str, Any]]:
        """Say which images could not be shown, and why: the most frequent reason first."""
        found = []
        for why, names in sorted(self.crops.images.items(), key=lambda one: -one[1].total()):
            listed = [] if self.story.veiled else sorted(names)[:N_NAMES]
            found.append(
                {
                    "why": why,
                    "n": len(names),
                    "n_shots": names.total(),
                    "names": [clean_text(one, width=80) for one in listed],
                }
            )
        return found

    def told(self) -> str:
        """Say in a sentence how many annotations are over their images, and why the others not."""
        counts = self.counts()
        said = f"{counts['shown']:,} of {counts['all']:,} single annotations over their images"
        reasons = [f"{one['n_shots']:,} {one['why']}" for one in self.troubles()]
        return f"{said} ({', '.join(reasons)})" if reasons else said

    def counts(self) -> dict[str, int]:
        """Count the annotations of all galleries, those over their image, and links that lack."""
        every = [one for specs in self._specs.values() for one in specs]
        links = [self._links_of(one) for one in every]
        return {
            "all": len(every),
            "shown": len(self.crops.made),
            "unopened": sum(one is None for one, _ in links) if self._links.tool else 0,
            "unlinked": sum(one is None for _, one in links) if self._patterned else 0,
        }

    def _spec(self, pick: Pick) -> _Spec:
        matches = self.story.run.matches
        gold = self._outline(matches.reference, pick.reference)
        drawn = self._outline(matches.candidate, pick.candidate)
        rings = [*(gold or []), *(drawn or [])]
        boxes = np.array([[*one.min(axis=0), *one.max(axis=0)] for one in rings])
        image = (
            matches.reference.table.image[pick.reference]
            if pick.reference >= 0
            else matches.image_of_candidate[pick.candidate]
        )
        return _Spec(pick=pick, image=int(image), gold=gold, drawn=drawn, boxes=boxes)

    def _outline(self, side: Any, row: int) -> list[Floats] | None:
        return None if row < 0 else outline(side.table.xyxy[row], side.table.shapes, row)

    def _cut(self, first: list[int]) -> Crops:
        images = self._links.images
        if not isinstance(images, Path):
            return Crops()
        forced = {self._key_of_row(row) for row in first}
        wanted = []
        titles = list(SECTIONS)
        for k, person in enumerate(self.story.people):
            seen: Counter[str] = Counter()
            for one in self._specs[person.page]:
                section, key = one.pick.section, f"{person.page}#{one.pick.anchor}"
                urgency = (key not in forced, seen[section], titles.index(section), k)
                seen[section] += 1
                wanted.append(
                    Wanted(key=key, image=one.image, window=window_of(one.boxes), urgency=urgency)
                )
        folder = ImageFolder(images, self._names, spared=self._links.spared)
        return cut_crops(wanted, folder, self._names, self._sizes)

    def _key_of_row(self, row: int) -> str | None:
        """Return page and id of a row of the queue; None where it accuses the gold."""
        queue, story = self.queue, self.story
        code = int(queue["annotator"][row])
        if code < 0:
            return None
        person = story.of_code.get(code) if story.named else story.people[0]
        if person is None:
            return None
        candidate, reference = int(queue["candidate"][row]), int(queue["reference"][row])
        anchor = self.anchor(person, reference, candidate)
        return None if anchor is None else f"{person.page}#{anchor}"

    def _first(self, first: list[int]) -> list[dict[str, Any]]:
        """Say what to look at first, with links to where it is shown and where it is mended."""
        rows = {name: column[first] for name, column in self.queue.items()}
        columns = queue_columns(self.story.run, rows)
        consensus = is_consensus(self.story.run)
        texts = review_texts(columns, rows["text"], consensus=consensus)
        found = []
        for k, text in enumerate(texts):
            row = {name: column[k] for name, column in columns.items()}
            key = self._key_of_row(first[k])
            found.append(
                {
                    "text": text,
                    "page": None if key is None else f"annotators/{key}",
                    "open": link_of(self._links.tool, row, ""),
                }
            )
        return found

    def _shot(self, person: Person, spec: _Spec) -> Shot:
        run, pick = self.story.run, spec.pick
        matches = run.matches
        key = f"{person.page}#{pick.anchor}"
        crop = self.crops.made.get(key)
        edges = self._edges.of(pick.reference, pick.candidate, pick.pair)
        boxes = None
        if edges is not None:
            boxes = (
                matches.reference.table.xyxy[pick.reference],
                matches.candidate.table.xyxy[pick.candidate],
            )
        width, height = self._sizes[spec.image].tolist()
        lonely = spec.gold is None or spec.drawn is None
        window = window_of(spec.boxes, tight=crop is None and not lonely)
        who = self.story.codes.get(person.group)
        rows = (pick.reference, pick.candidate)
        opened, picture = self._links_of(spec)
        return Shot(
            anchor=pick.anchor,
            drawing=lay_out(
                window,
                spec.gold,
                spec.drawn,
                boxes=boxes,
                offsets=None if edges is None else edges.px,
                counted=None if edges is None else edges.counted,
                crop=crop,
                size=(width, height),
                near=self._neighbours.of(spec.image, who, window, rows),
                most=self._most,
            ),
            image=clean_text(self._names[spec.image], width=60),
            annotation=self._called(pick),
            said=self._said(pick, edges),
            why=self.crops.why.get(key, ""),
            open=opened,
            picture=picture,
        )

    def _links_of(self, spec: _Spec) -> tuple[str | None, str | None]:
        """Return the links of an annotation: into the tool, and to its image."""
        table, row = self.story.run.matches.candidate.table, spec.pick.candidate
        values = {name: column[spec.image] for name, column in self._images.items()}
        values["annotation_id"] = table.id[row] if row >= 0 else None
        patterns = (self._links.tool, self._patterned)
        opened, picture = (link_of(one, values, self._links.root) for one in patterns)
        return opened, picture

    def _called(self, pick: Pick) -> str:
        """Name the annotation, and what it is compared with."""
        matches = self.story.run.matches
        consensus = self.other != "gold"
        said = []
        if pick.candidate >= 0:
            category = matches.category_names[matches.candidate_category[pick.candidate]]
            said.append(f"{_short(category)} {_short(matches.candidate.table.id[pick.candidate])}")
        if pick.reference >= 0:
            category = matches.category_names[matches.reference_category[pick.reference]]
            said.append(f"{self.other} {_short(category)}")
            if not consensus:
                said[-1] += f" {_short(matches.reference.table.id[pick.reference])}"
        return ", ".join(said)

    def _said(self, pick: Pick, edges: Edges | None) -> str:
        """Say what is wrong, or how far off it is."""
        said = []
        if pick.kind in _SAID:
            said.append(_SAID[pick.kind].format(self.other))
        elif pick.kind == "mislabelled":
            said.append("another label")
        if edges is not None:
            said += edges.said()
        if pick.section in EVIDENCE and pick.pair >= 0:
            said.append(self._contradicted.said(pick.pair))
        return "; ".join(one for one in said if one)


def _short(value: object) -> str:
    return clean_text(value, width=24)
