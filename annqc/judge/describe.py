"""judge: a spec in words: what each rule asks, of whom, how strictly, and what it takes to pass.

Nothing is measured here; what is said follows from the spec alone. scipy is loaded only where
numbers of objects are worked out.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from annqc.judge.registry import find_measure
from annqc.judge.trackneeds import track_evidence

if TYPE_CHECKING:
    from annqc.judge.model import ReadSpec, Rule, Spec
    from annqc.measure.tolerance import Tolerance

__all__ = [
    "Description",
    "describe_rule",
    "objects_needed",
    "shown_path",
    "spec_lines",
    "summary_of",
]

CONFIDENCE: Final = 0.95
"""Level of an audit that is not told another one."""
LEAST_CLUSTERS: Final = 5
"""`annqc.infer.verdicts.G_MIN`, which loads scipy; a test holds the two together."""
MISTAKES: Final = (0, 1, 2, 5)
"""Numbers of mistakes for which it is said how many objects make up for them."""
SCATTER: Final = (
    "Where boxes scatter by two tolerances, with four on an image, 20 images show that an edge is "
    "clean."
)
"""What the simulations of the method say; see its section on verdicts."""
MANY_OBJECTS: Final = 1_000_000

COUNTED: Final = {
    "recall": ("object", "asked for", "miss"),
    "precision": ("box", "drawn", "box on nothing"),
    "label_accuracy": ("object", "matched", "wrong name"),
    "error_rate": ("box", "drawn or missed", "error"),
}
"""What a rate counts, and what is a mistake."""
PLURALS: Final = {"box": "boxes"}
ARTICLES: Final = {"error": "an error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One rule in words.

    Attributes
    ----------
    id : str
        Name of the rule.
    asks : str
        The measure in words, as the registry has it.
    whom : str
        Who or what must keep to it, such as ``"each annotator"``.
    limit : str
        The limit or tolerance, such as ``"at least 0.95"``.
    confidence : str
        Level, such as ``"95 %"``; empty where the measure has none.
    needs : str
        What it takes to pass, in a few words, such as ``"72 objects"``.
    evidence : tuple of str
        The same in full, a sentence each.
    origin : str
        Where it stands, ``file:line``; with the word inherited where it does not stand in the spec.
    why : str
        The reason that the spec gives; empty where it gives none.
    """

    id: str
    asks: str
    whom: str
    limit: str
    confidence: str
    needs: str
    evidence: tuple[str, ...]
    origin: str
    why: str

    def lines(self) -> list[tuple[str, str]]:
        """Return label and text of everything there is to say, the id left out."""
        level = f", {self.confidence} confidence" if self.confidence else ""
        said = [
            ("asks", self.asks),
            ("of", self.whom),
            ("limit", f"{self.limit}{level}"),
            ("needs", " ".join(self.evidence)),
            ("why", self.why),
            ("from", self.origin),
        ]
        return [(label, text) for label, text in said if text]


def describe_rule(spec: Spec, rule: Rule) -> Description:
    """Put one rule into words.

    Parameters
    ----------
    spec : Spec
        The spec that it belongs to.
    rule : Rule
        One of ``spec.rules``.

    Examples
    --------
    >>> from annqc.judge import load_spec
    >>> rule = {"id": "found", "measure": "recall", "at_least": 0.95}
    >>> spec = load_spec({"annqc": {"version": 1}, "rule": [rule]})
    >>> told = describe_rule(spec, spec.rules[0])
    >>> told.whom, told.limit, told.needs
    ('each annotator', 'at least 0.95', '72 objects')
    >>> print(told.evidence[0])
    72 objects asked for are enough without a miss; with 1 it takes 110, with 2 143, with 5 231.
    """
    measure = find_measure(rule.measure)
    level = CONFIDENCE if rule.confidence is None else rule.confidence
    needs, evidence = _evidence(rule, level)
    return Description(
        id=rule.id,
        asks=measure.summary,
        whom=_whom(rule),
        limit=_limit(rule),
        confidence=f"{100 * level:g} %" if "confidence" in measure.takes else "",
        needs=needs,
        evidence=evidence,
        origin=_origin(spec, rule),
        why=rule.why or "",
    )


def objects_needed(limit: float, mistakes: int, *, confidence: float = CONFIDENCE) -> int | None:
    """Return how many objects it takes for a rate to be shown to reach a limit.

    Parameters
    ----------
    limit : float
        The least rate, in (0, 1).
    mistakes : int
        Objects among them on which a mistake was made.
    confidence : float
        Level of the two-sided interval.

    Returns
    -------
    int or None
        Of ``n`` objects, all on images of their own, ``n - mistakes`` are right and the lower end
        of the interval reaches the limit; None where no reasonable number will do.

    Notes
    -----
    The interval of `annqc.infer.rates`. Without a mistake its lower end is
    ``((1 - confidence) / 2) ** (1 / n)``. Mistakes that come together on a few images widen it,
    and then it takes more.

    Examples
    --------
    >>> objects_needed(0.95, 0), objects_needed(0.98, 0), objects_needed(0.95, 0, confidence=0.99)
    (72, 183, 104)
    """
    tail = (1 - confidence) / 2
    if not 0 < limit < 1:
        return None
    if mistakes == 0:
        return math.ceil(math.log(tail) / math.log(limit))
    from scipy.special import betaincinv

    def reaches(n: int) -> bool:
        counted = n - 1  # the effective number of objects, where a mistake shows how they vary
        right = (n - mistakes) / n * counted
        return bool(betaincinv(right, counted - right + 1, tail) >= limit)

    low, high = mistakes + 1, mistakes + 2
    while not reaches(high):
        low, high = high, 2 * high
        if high > MANY_OBJECTS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def spec_lines(spec: Spec) -> list[tuple[str, str]]:
    """Return label and text of what holds for the whole spec: its data, matching, and origin.

    Parameters
    ----------
    spec : Spec
        From `annqc.judge.load_spec`.
    """
    header = spec.annqc
    said = [("spec", shown_path(spec.name))]
    if header.extends:
        dropped = f", without {', '.join(header.without)}" if header.without else ""
        said.append(("extends", f"{header.extends}{dropped}"))
    if spec.is_profile:
        said.append(("data", "none: a profile, for any delivery (WORK --gold GOLD, or extends)"))
    else:
        said += [("data", text) for text in _data(spec)]
    if spec.read_as_asked.given():
        said.append(("reading", _reading_words(spec.read_as_asked)))
    if spec.match is None:
        said.append(("matching", "as the audit does it"))
    else:
        policy = spec.match
        said.append(("matching", f"{policy.method}, found from IoU {policy.counting_iou:g} on"))
    if spec.examples:
        said.append(("examples", ", ".join(one.name for one in spec.examples)))
    if header.undecided:
        said.append(("undecided", f"counts as {header.undecided}"))
    return said


def _data(spec: Spec) -> list[str]:
    """Return one line for each dataset."""
    if spec.annqc.folders is not None:
        return [f"every folder of {spec.annqc.folders}"]
    listed = []
    for one in spec.datasets:
        name = f"{one.name}: " if one.name else ""
        work, gold = (", ".join(map(shown_path, side)) or "?" for side in (one.candidate, one.gold))
        listed.append(f"{name}{work} against {gold}")
    return listed


def _reading_words(reading: ReadSpec) -> str:
    """Say what the files are told to be, a field after the other."""
    said = []
    for name, value in reading.given().items():
        if isinstance(value, dict):
            text = ", ".join(f"{role} = {column}" for role, column in value.items())
        elif name == "image_sizes" and not isinstance(value, str):
            text = "x".join(map(str, value))
        elif name == "shapes":
            text = "polygons and masks too" if value else "boxes alone"
        else:
            text = value if isinstance(value, str) else ", ".join(value)
        said.append(f"{name}: {text}")
    return "; ".join(said)


def summary_of(text: str) -> str:
    r"""Return the first sentence of a spec's first comment, which says what it is for.

    Examples
    --------
    >>> summary_of("#:schema ./annqc.schema.json\n#\n# For boxes of all\n# kinds. Take it.\n")
    'For boxes of all kinds.'
    """
    words: list[str] = []
    for line in text.splitlines():
        said = line.removeprefix("#").strip()
        if line.startswith("#:") or (line.startswith("#") and not said and not words):
            continue
        if not line.startswith("#") or not said:
            break
        words += said.split()
    told = " ".join(words)
    first, stop, _ = told.partition(". ")
    return first + "." if stop else told


def shown_path(path: str) -> str:
    """Return a path as short as it can be said: seen from here, if it lies here."""
    if "://" in path or path.startswith("<"):
        return path
    try:
        near = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return os.path.normpath(path) if near.startswith("..") else near


def _whom(rule: Rule) -> str:
    takes = find_measure(rule.measure).takes
    if "by" not in takes:
        return "the delivery as a whole"
    groups = [name for name in rule.columns if name != "annotator"]
    each = ["each annotator"] if "annotator" in rule.columns else []
    each += [f"each {name.replace('_', ' ')}" for name in groups]
    text = " in ".join(each) or "everything together"
    if each and "annotator" not in rule.columns:
        text += ", all annotators together"
    for name, values in rule.where.items():
        text += f"; {name} {' or '.join(map(str, values))} alone"
    return text


def _limit(rule: Rule) -> str:
    takes, unit = find_measure(rule.measure).takes, find_measure(rule.measure).unit
    kinds = (f" {unit}" if unit else "") + (f" of {', '.join(rule.kind)}" if rule.kind else "")
    if rule.preprocess not in {None, "none"}:
        kinds += f", preprocessed as {rule.preprocess}"
    if rule.categories:
        kinds += f" for {', '.join(rule.categories)}"
    again = ", however often it is looked at" if rule.sequential else ""
    if rule.no_worse_than is not None:
        margin = rule.margin
        spare = "" if margin is None else f", with a margin of {margin}"
        return f"no worse than the {rule.no_worse_than}{spare}{again}"
    if rule.at_least is not None:
        return f"at least {rule.at_least:g}{kinds}{again}"
    usual = find_measure(rule.measure).usual
    at_most = usual if rule.at_most is None else rule.at_most
    if at_most is not None:
        return f"at most {at_most:g}{kinds}{again}"
    if "tolerance" not in takes:
        return f"none{kinds}"
    tolerance = "the tolerance of the audit" if rule.tolerance is None else str(rule.tolerance)
    if rule.measure.startswith("drift"):
        tolerance += " in 100 frames"
    if rule.measure == "sawtooth":
        tolerance += " until the next keyframe"
    if rule.measure == "growth":
        tolerance = f"twice {tolerance}"
    return f"within {tolerance}{again}"


def _evidence(rule: Rule, level: float) -> tuple[str, tuple[str, ...]]:
    """Return what it takes to pass, in a few words and in full."""
    if rule.no_worse_than is not None:
        return "a baseline", ("A saved run of the same gold to compare with, object by object.",)
    if rule.measure in COUNTED:
        return _rate_evidence(rule, level)
    if find_measure(rule.measure).outlines:
        return _outline_evidence(rule)
    if find_measure(rule.measure).tracks:
        few, sentences = track_evidence(rule, LEAST_CLUSTERS)
        return few, (*sentences, *_tolerance_words(rule.tolerance))
    if "tolerance" in find_measure(rule.measure).takes:
        return f"{LEAST_CLUSTERS} images", (
            f"At least {LEAST_CLUSTERS} images (or tracks), else it is undecided.",
            SCATTER,
            *_tolerance_words(rule.tolerance),
        )
    if rule.measure == "clusters":
        return f"{rule.at_least:g} images", (
            "Images (or tracks) with boxes that could be compared edge by edge.",
        )
    if rule.measure == "agreement":
        return "2 annotators", (
            f"At least {LEAST_CLUSTERS} images that at least two annotators were asked for.",
        )
    if rule.measure == "mean_iou":
        return f"{LEAST_CLUSTERS} images", (
            f"At least {LEAST_CLUSTERS} images (or tracks).",
            "The interval of the mean must lie within the limit.",
        )
    if "confidence" in find_measure(rule.measure).takes:
        return "an interval", ("The whole interval must lie within the limit.",)
    return "nothing", ("A count has no interval: it passes or it fails.",)


def _outline_evidence(rule: Rule) -> tuple[str, tuple[str, ...]]:
    """Return what it takes to pass of a rule on polygons and masks."""
    few = f"{LEAST_CLUSTERS} images"
    more = ["The interval of the mean must lie within the limit."]
    if "tolerance" in find_measure(rule.measure).takes:
        more = [*_tolerance_words(rule.tolerance)]
        more += ["A side is the square root of the area of the gold's outline."] if more else []
    return few, (f"At least {few} (or tracks) with outlines on both sides.", *more)


def _rate_evidence(rule: Rule, level: float) -> tuple[str, tuple[str, ...]]:
    thing, which, mistake = COUNTED[rule.measure]
    things = PLURALS.get(thing, f"{thing}s")
    limit = rule.at_least
    if rule.measure == "error_rate" and rule.at_most is not None:
        limit = 1 - rule.at_most
    if limit is None:
        return f"some {things}", ("The whole interval must lie below the limit.",)
    needed = {k: objects_needed(limit, k, confidence=level) for k in MISTAKES}
    first = needed.pop(0)
    if first is None and limit > 0:
        return "no number", (f"No number of {things} shows that there is never a mistake.",)
    if first is None:
        return "nothing", ("Anything passes.",)
    one = ARTICLES.get(mistake, f"a {mistake}")
    more = [(k, f"{n:,}") for k, n in needed.items() if n is not None]
    rest = "".join(f", with {k} {n}" for k, n in more[1:])
    with_more = f"; with {more[0][0]} it takes {more[0][1]}{rest}" if more else ""
    return f"{first:,} {things if first != 1 else thing}", (
        f"{first:,} {things} {which} are enough without {one}{with_more}.",
        f"On at least {LEAST_CLUSTERS} images (or tracks).",
        "More, where mistakes come together on a few images.",
    )


def _tolerance_words(tolerance: Tolerance | None) -> tuple[str, ...]:
    """Say where the pixels of a tolerance end and the share begins."""
    if tolerance is None or not (tolerance.px and tolerance.rel):
        return ()
    turn, share = tolerance.px / tolerance.rel, f"{100 * tolerance.rel:g} %"
    return (f"The limit is {tolerance.px:g} px on sides of up to {turn:.3g} px, then {share}.",)


def _origin(spec: Spec, rule: Rule) -> str:
    path = spec.origins.get(rule.id)
    line = spec.lines.get(rule.id)
    where = shown_path(path if path is not None else spec.name)
    place = where if line is None else f"{where}:{line}"
    return place if path is None else f"{place}, inherited"
