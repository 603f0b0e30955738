"""run: proposes a spec for given data: which profile fits, and which limits can be settled.

A limit is proposed because the gold is large enough to settle it, never because the work keeps to
it: what the work looks like today stands beside it as a comment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge import load_spec
from annqc.judge.describe import LEAST_CLUSTERS, objects_needed
from annqc.judge.inherit import find_profile
from annqc.judge.wording import number_of
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Run
from annqc.run.seen import look, look_at_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from annqc.judge import Rule, Spec
    from annqc.run.seen import Seen, Spread
    from annqc.tables import Dataset

__all__ = ["Sources", "choose_profile", "propose"]

PLAIN: Final = "boxes"
"""The profile for data that nothing special is known of."""
OUTLINED: Final = "masks"
"""The profile for polygons and masks."""
LADDER: Final = (0.98, 0.97, 0.95, 0.9, 0.88, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Limits that are proposed: of those no stricter than the profile's, the strictest within reach."""
NICE: Final = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
"""Pixels and per cent that a tolerance is rounded up to."""
WIDEST_PX: Final = 5.0
WIDEST_REL: Final = 0.1
BY_CATEGORY: Final = 0.85
MOST_CATEGORIES: Final = 30
SHARED: Final = 0.1
"""Share of an annotator's scatter that the boxes of one image have in common; see the method."""
POWER: Final = 2.9
"""Standard errors to a tolerance at which an edge with no bias is found clean in 9 of 10 cases."""
WORDS: Final = {
    "medical": "lesion nodule tumor tumour polyp mass calcification effusion fracture hemorrhage "
    "opacity cyst aneurysm metastasis melanoma cell nucleus",
    "street-scenes": "car pedestrian cyclist truck bus bicycle motorcycle rider traffic tram van",
    "aerial": "ship plane airplane harbor harbour storage-tank small-vehicle large-vehicle "
    "helicopter swimming-pool building roundabout bridge",
    "retail": "product sku price shelf bottle can box package",
}
"""Words in names of categories that speak for a profile."""
LEAST_WORDS: Final = {"medical": 1, "street-scenes": 3, "aerial": 2, "retail": 1}
SMALL_SIDE: Final = 28.0
LARGE_IMAGE: Final = 900.0
CROWDED: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the data are, as the header of the spec is to say it.

    Attributes
    ----------
    candidate, gold : tuple of str
        Paths or patterns, seen from the folder of the spec.
    annotator : str or None
        Who drew, as it was said; None where nobody did.
    read : mapping of str to object
        What was said about reading, as the table ``[read]`` takes it.
    """

    candidate: tuple[str, ...]
    gold: tuple[str, ...]
    annotator: str | None = None
    read: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Sheet:
    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a comment, wrapped."""
        from textwrap import wrap

        self.lines += [f"# {line}" for line in wrap(text, 98)]

    def put(self, *lines: str) -> None:
        self.lines += lines

    def rule(self, id: str, **values: object) -> None:
        """Add a table, an empty line before it is the caller's business."""
        self.lines += ["[[rule]]", f"id = {_toml(id)}"]
        self.lines += [f"{name} = {_toml(value)}" for name, value in values.items()]
        self.lines.append("")


def propose(data: Run | Dataset, sources: Sources) -> str:
    """Write a spec for a comparison, or for work that has no gold yet.

    Parameters
    ----------
    data : Run or Dataset
        The work beside its gold, under default parameters; or the work alone.
    sources : Sources
        Paths for the header.

    Returns
    -------
    str
        TOML text with comments. It loads, and judges the data that it was made from.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate({"ann": [], "bob": []}, n_images=40, categories=1, rng=1)
    >>> text = propose(
    ...     annqc.audit(made.work, made.gold),
    ...     Sources(candidate=("work.json",), gold=("gold.json",)),
    ... )
    >>> [line for line in text.splitlines() if line.startswith("extends")]
    ['extends = "boxes"']
    """
    if isinstance(data, Run):
        seen = look(data, least_images=LEAST_CLUSTERS)
    else:
        seen = look_at_work(data, least_images=LEAST_CLUSTERS)
    profile, why = choose_profile(seen)
    base = load_spec(find_profile(profile))
    sheet = _Sheet()
    _head(sheet, seen)
    _header(sheet, seen, sources, profile, why, base)
    _offset_rules(sheet, seen, base)
    _rate_rules(sheet, seen, base)
    _category_rule(sheet, seen, base)
    if seen.n_missing:
        sheet.note(
            f"{seen.n_missing:,} of {number_of(seen.n_gold_images, 'image')} of the gold "
            f"{'is' if seen.n_missing == 1 else 'are'} in nobody's work, so the rule on complete "
            "deliveries fails today. Where the gold covers more than was ordered, write without = "
            '["complete"] in [annqc].'
        )
    if seen.n_dropped:
        sheet.note(
            f"{number_of(seen.n_dropped, 'row')} of the data cannot be used, so the rule on "
            "unusable rows fails today. `annqc lint` lists them."
        )
    return "\n".join(sheet.lines).rstrip("\n") + "\n"


def choose_profile(seen: Seen) -> tuple[str, str]:
    """Choose the profile that fits, and say why.

    Parameters
    ----------
    seen : Seen
        From `annqc.run.seen.look`.

    Returns
    -------
    profile, why : str
    """
    if seen.tracks:
        return "video-tracks", f"the gold has {number_of(seen.tracks, 'track')}"
    if seen.outlines:
        whose = f"both sides have outlines, the gold {seen.outlines:,}"
        return OUTLINED, whose if seen.n_gold else f"the work has {seen.outlines:,} outlines"
    if seen.scored and seen.n_annotators <= 2:
        return "coco", "the work has scores, as the predictions of a model have"
    said = {part for name in seen.categories for part in name.lower().replace("_", "-").split()}
    said |= {part for one in said for part in one.split("-")}
    said |= {one.removesuffix("s") for one in said}
    for profile, words in WORDS.items():
        found = sorted(said & set(words.split()))
        if profile == "retail" and seen.boxes_per_image < CROWDED:
            continue
        if len(found) >= LEAST_WORDS[profile]:
            return profile, f"categories such as {', '.join(found[:4])}"
    large = seen.image_sides is not None and min(seen.image_sides) >= LARGE_IMAGE
    if large and seen.side.median < SMALL_SIDE:
        why = f"boxes of {seen.side.median:.0f} px, the one in the middle, on large images"
        return "aerial", why
    return PLAIN, "nothing speaks for a special one"


def _head(sheet: _Sheet, seen: Seen) -> None:
    sheet.note("Proposed by `annqc spec init` from the data it names. Read it, change it, keep it.")
    sheet.put("#")
    compared = f" compared, {seen.n_gold:,} gold and" if seen.n_gold else ","
    sheet.note(
        f"Seen: {number_of(seen.n_images, 'image')}{compared} "
        f"{seen.n_work:,} drawn boxes, {number_of(seen.n_annotators, 'annotator')}, "
        f"{number_of(len(seen.categories), 'category', 'categories')}."
    )
    images = "sizes unknown"
    if seen.image_sides is not None:
        images = "{:.0f} x {:.0f} px".format(*seen.image_sides)
    boxes = "Gold boxes" if seen.n_gold else "Boxes"
    if np.isfinite(seen.side.median):
        sheet.note(
            f"{boxes}: side {seen.side.median:.0f} px (median; {seen.side.low:.0f} to "
            f"{seen.side.high:.0f}), {seen.boxes_per_image:.1f} on an image. Images: {images}."
        )
    else:
        sheet.note("There is no box to look at, so this is the profile for boxes as it stands.")
    objects = f", {_span(seen.objects_each)} gold objects" if seen.n_gold else ""
    sheet.note(
        f"Each annotator: {_span(seen.images_each)} images{objects} (median; least to most)."
    )
    if np.isfinite(seen.scatter_px):
        sheet.note(
            f"Scatter of an edge about each annotator's own middle: {seen.scatter_px:.1f} px, "
            f"{100 * seen.scatter_rel:.1f} % of the side (median annotator)."
        )
    if seen.n_few:
        sheet.note(
            f"Annotators with fewer than {LEAST_CLUSTERS} images: {seen.n_few:,} of "
            f"{seen.n_annotators:,}. Nothing about their edges can be settled, so rules on edges "
            "stay undecided unless somebody else fails. Give them more gold, or leave them out."
        )
    sheet.put("")


def _header(
    sheet: _Sheet, seen: Seen, sources: Sources, profile: str, why: str, base: Spec
) -> None:
    sheet.put("[annqc]", "version = 1")
    sheet.note(f"{profile}: {why}. `annqc spec explain {profile}` says what it asks.")
    if profile != PLAIN and (own := _edge_tolerance(base)) is not None:
        plain = _edge_tolerance(load_spec(find_profile(PLAIN)))
        if plain is not None and str(plain) != str(own):
            sheet.note(f"Its edges may be off by {own}; {PLAIN}, the general one, asks {plain}.")
    sheet.put(f"extends = {_toml(profile)}")
    mark = "" if sources.gold else "# "
    if mark:
        sheet.note(
            "No gold was given, so every limit is the profile's. Name it here, and take the marks "
            "off; or let `annqc spec init` look again, with --gold."
        )
    gold = sources.gold or ("gold.json",)
    sheet.put(f"{mark}gold = {_toml(_one_or_list(gold))}")
    sheet.put(f"{mark}candidate = {_toml(_one_or_list(sources.candidate))}")
    if sources.annotator is not None:
        sheet.put(f"annotator = {_toml(sources.annotator)}")
    elif seen.unsigned:
        sheet.note(f"{seen.unsigned[:1].upper()}{seen.unsigned[1:]}.")
        column = seen.author_columns[0] if seen.author_columns else "FIELD"
        sheet.put(f"# annotator = {_toml(column)}")
    gone = [rule.id for rule in base.rules if rule.measure == "label_accuracy"]
    if len(seen.categories) < 2 and gone:
        sheet.note("With one category there is no name to get wrong.")
        sheet.put(f"without = {_toml(gone)}")
    sheet.put("")
    if sources.read:
        sheet.put("[read]", *(f"{name} = {_toml(one)}" for name, one in sources.read.items()), "")


def _edge_tolerance(spec: Spec) -> Tolerance | None:
    """Return the tolerance of the first rule on edges."""
    found = (rule.tolerance for rule in spec.rules if rule.measure == "edge_offset")
    return next(found, None)


def _offset_rules(sheet: _Sheet, seen: Seen, base: Spec) -> None:
    """Widen the tolerance of the rules on offsets where nobody could be found clean within it."""
    if not np.isfinite(seen.scatter_px):
        return
    error = _standard_error(seen)
    for rule in base.rules:
        if rule.measure != "edge_offset" or rule.tolerance is None or "size" in rule.columns:
            continue
        px = _reach(rule.tolerance.px, POWER * error * seen.scatter_px, WIDEST_PX, 1.0)
        rel = _reach(rule.tolerance.rel, POWER * error * seen.scatter_rel, WIDEST_REL, 100.0)
        wider = Tolerance(px=px, rel=rel)
        if wider == rule.tolerance:
            sheet.note(
                f"{rule.id} stays as in the profile, {rule.tolerance}: with this scatter and so "
                "many images, an annotator without a habit can be found clean."
            )
            sheet.put("")
            continue
        short = POWER * error * seen.scatter_rel > rel or POWER * error * seen.scatter_px > px
        sheet.note(
            f"The profile has {rule.tolerance}. With {seen.images_each.median:.0f} images each, "
            "and the scatter above, an annotator without a habit could rarely be found clean "
            "within it. "
            + (
                "A wider tolerance than this would be no test; more gold would help."
                if short
                else "This is the least that most of them can be found clean within; with more "
                "gold, take the profile's again."
            )
        )
        sheet.rule(rule.id, tolerance=str(wider))


def _standard_error(seen: Seen) -> float:
    """Return the standard error of a habit, in units of scatter, of the annotator in the middle."""
    images = max(seen.images_each.median, 1.0)
    each = max(seen.objects_each.median / images, 1.0)
    return math.sqrt((1 + (each - 1) * SHARED) / (each * images))


def _reach(own: float, needed: float, widest: float, scale: float) -> float:
    """Round what is needed up to a plain number, not below the profile's nor above the widest."""
    if own == 0 or needed <= own:
        return own
    nice = [one / scale for one in NICE if one / scale >= needed and one / scale <= widest]
    return max(own, min(nice, default=widest))


def _rate_rules(sheet: _Sheet, seen: Seen, base: Spec) -> None:
    """Lower the limits of rates to what the gold can settle."""
    for rule in base.rules:
        plain = rule.columns == ("annotator",) and not rule.where and rule.at_least is not None
        if rule.measure == "mean_iou" and plain and rule.measure in seen.rates:
            sheet.note(f"{rule.id} stays at {rule.at_least:g}. {_today(seen, rule)}.")
            sheet.put("")
        if rule.measure not in seen.trials or not plain:
            continue
        if rule.measure == "label_accuracy" and len(seen.categories) < 2:
            continue
        _rate_rule(sheet, seen, rule)


def _rate_rule(sheet: _Sheet, seen: Seen, rule: Rule) -> None:
    own = rule.at_least
    assert own is not None
    level = 0.95 if rule.confidence is None else rule.confidence
    trials = seen.trials[rule.measure]
    middle = float(np.median(trials)) if len(trials) else 0.0
    steps = [own, *(one for one in LADDER if one < own)]
    needed = {one: objects_needed(one, 1, confidence=level) or math.inf for one in steps}
    chosen = next((one for one in steps if needed[one] <= middle), steps[-1])
    reach = int((trials >= needed[chosen]).sum())
    who = f"{reach:,} of {number_of(len(trials), 'annotator')} can reach it"
    if chosen == own:
        sheet.note(f"{rule.id} stays at {own:g}; {who}, with one mistake. {_today(seen, rule)}.")
        sheet.put("")
        return
    sheet.note(
        f"{own:g} in the profile takes {needed[own]:,} objects with one mistake among them; the "
        f"annotator in the middle has {middle:.0f}. {chosen:g} takes {needed[chosen]:,}, and "
        f"{who}. {_today(seen, rule)}."
    )
    sheet.rule(rule.id, at_least=chosen)
    total = int(trials.sum())
    if len(trials) > 1 and total >= needed[own]:
        sheet.note(
            f"All together have {total:,}: enough to ask the profile's {own:g} of the delivery as "
            f"a whole. Today: {seen.whole[rule.measure]:.2f}"
            + (
                "; so this work fails, as it should if that is what you ask for."
                if seen.whole[rule.measure] < own
                else "."
            )
        )
        sheet.rule(f"{rule.id}-of-all", measure=rule.measure, by=[], at_least=own)


def _today(seen: Seen, rule: Rule) -> str:
    spread = seen.rates[rule.measure]
    if not np.isfinite(spread.median):
        return "Nothing was counted today"
    return f"Today: {spread.median:.2f} in the middle, {spread.low:.2f} to {spread.high:.2f}"


def _category_rule(sheet: _Sheet, seen: Seen, base: Spec) -> None:
    """Add recall by category, for those of which there is enough."""
    if len(seen.categories) < 2 or "recall-by-category" in {rule.id for rule in base.rules}:
        return
    needed = objects_needed(BY_CATEGORY, 1) or 0
    enough = [name for name, n in seen.category_objects.items() if n >= needed]
    few = len(seen.category_objects) - len(enough)
    if not enough or len(enough) > MOST_CATEGORIES:
        return
    sheet.note(
        f"A category that nobody draws hides behind the others. {BY_CATEGORY:g} takes {needed} "
        "objects of a category, all annotators together"
        + (f"; {number_of(few, 'category', 'categories')} with fewer are left out." if few else ".")
    )
    where = f"{{ category = {_toml(enough)} }}" if few else None
    sheet.put("[[rule]]", 'id = "recall-by-category"', 'measure = "recall"', 'by = ["category"]')
    if where is not None:
        sheet.put(f"where = {where}")
    sheet.put(f"at_least = {BY_CATEGORY:g}", "")


def _span(spread: Spread) -> str:
    return f"{spread.median:.0f} ({spread.low:.0f} to {spread.high:.0f})"


def _one_or_list(paths: Sequence[str]) -> str | list[str]:
    return paths[0] if len(paths) == 1 else list(paths)


def _toml(value: object) -> str:
    """Write a text, number or list as TOML."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return _listed(value)
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_toml(one)}' for name, one in value.items())} }}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: Iterable[object]) -> str:
    return "[" + ", ".join(_toml(one) for one in values) + "]"


def _quoted(text: str) -> str:
    """Write a basic string; what cannot stand in one is escaped."""
    out = []
    for c in text:
        if c in {'"', "\\"}:
            out.append(f"\\{c}")
        elif c.isprintable():
            out.append(c)
        else:
            out.append(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
    # Variables are expanded in values, and a path with ${...} in it is meant as it is.
    return '"' + "".join(out).replace("${", "$${") + '"'
