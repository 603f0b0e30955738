"""PNG masks -> `Part`: one file an image, its pixels say what is the object.

Pixels become run lengths, one image at a time, and are neither resized nor resampled. 0 (black, or
the first entry of a coloured palette) and transparent pixels are background, all else is the
object. Masks in which the border is mostly object are inverted, it seems, and are refused:
``mask_object=`` says which side is the object. Where a mask has several values, ``mask_values=``
says what they are. The image is called by the name of the file without its ending.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.filepart import Gathered, all_of, image_names
from annqc.read.maskruns import border_values, segments_of
from annqc.read.part import problem
from annqc.read.png import CLEAR, open_png
from annqc.read.registry import LAST, NO, register_reader
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.maskoptions import MaskOptions, Value
    from annqc.read.options import Options
    from annqc.read.part import Part
    from annqc.tables import Problem

    Ints = npt.NDArray[np.int64]

_ON: Final = frozenset((1, 255, 65535))
"""What programs write for an object where a mask has one."""
_MOSTLY: Final = 0.5
_OBJECT: Final = "object"
_NAN: Final = (np.nan,) * 4
_VALUES_HINT: Final = (
    "--mask-values (mask_values= in Python): 'object' makes one object of all, 'categories' takes "
    "each value as a category, 'instances' as an object of its own"
)


def sniff(head: Head) -> int:
    """Take PNG images, where a folder has nothing else."""
    return LAST if head.is_png else NO


@register_reader(
    "masks",
    suffixes=(".png",),
    sniff=sniff,
    expects="PNG masks, one file an image: black is background, the rest is the object",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read mask images, one part for all."""
    several = options.categories is not None and len(options.categories) > 1
    mode = options.masks.values or ("categories" if several else None)
    masks: list[_Mask] = []
    for path in paths:
        masks.append(_read_one(path, options.masks, mode))
        tick(path)
    errors = [one.error for one in masks if one.error is not None]
    if len(errors) == len(masks):
        raise all_of(errors, len(masks))
    if mode is None:
        _refuse_unclear(masks, paths)
    inverted = _inverted(masks, paths, options.masks, mode)
    names = image_names(paths, options.named)
    sizes, unlike = _canvases(masks, names, options)
    rows = Gathered("masks", "object {}", options.named)
    unusable: set[_Mask] = set()
    runs: list[Ints] = []
    canvas: list[tuple[int, int]] = []
    one_name = options.categories if options.categories and len(options.categories) == 1 else {}
    whole: Any = next(iter(one_name), _OBJECT)
    for path, id, mask in zip(paths, names, masks, strict=True):
        rows.add_file(path, id, None, sizes.get(id))
        fault = _fault(mask, inverted=mask in inverted)
        if fault is not None or (id in sizes and (mask.width, mask.height) != sizes[id]):
            unusable.add(mask)
        if id in unlike and (mask.width, mask.height) != unlike[id]:
            rows.problems.append(_other_canvas(path, id, mask, unlike[id]))
        for number, (value, some) in enumerate(mask.objects, start=1):
            if fault is not None:
                rows.bad(number, *fault)
                continue
            category = value if mode == "categories" else whole
            rows.add(number, _NAN, category, extra={"mask_value": value})
            runs.append(some)
            canvas.append((mask.height, mask.width))
        if mask.error is not None and fault is not None:
            rows.bad(0, *fault)
        rows.end_file(len(mask.objects) + (mask.error is not None))
    part = rows.part()
    # Whoever's mask cannot be used did not draw nothing: the image does not count as given to them.
    assert part.listed is not None
    part.listed = part.listed[[one not in unusable for one in masks]]
    part.shapes = Shapes.from_runs(runs, np.array(canvas, dtype=np.int64).reshape(-1, 2))
    return [part]


@dataclass(slots=True, eq=False)
class _Mask:
    """What one file has."""

    width: int = 0
    height: int = 0
    depth: int = 8
    objects: list[tuple[Value, Ints]] = field(default_factory=list)
    border: float = 0.0
    error: ReadError | None = None


def _read_one(path: Path, options: MaskOptions, mode: str | None) -> _Mask:
    """Decode one mask; what cannot be read is an error in it."""
    try:
        picture = open_png(path)
    except ReadError as error:
        return _Mask(error=error)
    size = picture.width, picture.height
    segments = segments_of(picture)
    if segments is None:
        what = "this is a picture and no mask"
        hint = "give the folder of the masks alone"
        found = "nearly every pixel differs from the next"
        return _Mask(*size, error=ReadError(what, where=str(path), found=found, hint=hint))
    chosen = [k for k, v in enumerate(segments.values) if v != CLEAR and options.is_object(v)]
    chosen.sort(key=lambda k: (isinstance(segments.values[k], str), segments.values[k]))
    if mode == "object" or options.side == "dark":
        # A value that stands for several is the first of them.
        groups = [chosen] if chosen else []
    else:
        groups = [[k] for k in chosen]
    objects = [(segments.values[group[0]], segments.runs(group)) for group in groups]
    sides = border_values(picture)
    lit = sum(n for value, n in sides if value != CLEAR and options.is_object(value))
    return _Mask(*size, picture.depth, objects, lit / sum(n for _, n in sides))


def _refuse_unclear(masks: Sequence[_Mask], paths: Sequence[Path]) -> None:
    """Raise where it is not plain what the values mean: several in a mask, or unlike in two."""
    what = "it is not plain what the values in these masks mean"
    for mask, path in zip(masks, paths, strict=True):
        if len(mask.objects) > 1 and mask.depth != 16:
            values = [value for value, _ in mask.objects]
            found = f"{len(values)} values besides the background: {_some(values)}"
            raise ReadError(what, where=str(path), found=found, hint=_VALUES_HINT)
    single = [mask.objects[0][0] for mask in masks if len(mask.objects) == 1 and mask.depth != 16]
    kinds = list(dict.fromkeys(single))
    if len(kinds) > 1 and not _ON.issuperset(kinds):
        found = f"one value in each mask besides the background, and not the same: {_some(kinds)}"
        where = f"{paths[0].parent}, first file {paths[0].name}"
        raise ReadError(what, where=where, found=found, hint=_VALUES_HINT)


def _inverted(
    masks: Sequence[_Mask], paths: Sequence[Path], options: MaskOptions, mode: str | None
) -> set[_Mask]:
    """Return the masks whose object seems to be the surroundings; raise where most are so."""
    told = options.side is not None or bool(options.chosen)
    if told or mode in ("categories", "instances"):
        return set()
    where = str(paths[0]) if len(paths) == 1 else f"{paths[0].parent}, first file {paths[0].name}"
    drawn = [mask for mask in masks if len(mask.objects) == 1]
    inverted = [mask for mask in drawn if mask.border > _MOSTLY]
    if 2 * len(inverted) <= len(drawn):
        return set(inverted)
    n = f"{len(inverted)} of {len(drawn)} masks seem" if len(drawn) > 1 else "the mask seems"
    share = f"{inverted[0].border:.0%} of the pixels along the border are object"
    what = f"{n} to be inverted: the object would be what is around the object"
    raise ReadError(
        what,
        where=where,
        expected="a border that is mostly background (0)",
        found=share,
        hint="--mask-object dark (mask_object='dark' in Python) takes 0 as the object; 'light' "
        "reads them as they are",
    )


def _canvases(
    masks: Sequence[_Mask], names: Sequence[str], options: Options
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Return the size of each image, as the user says it or all of its masks have it.

    Where the masks of an image are unlike, nobody can say which of them has its size: it is
    unknown, and the second mapping has what most of them have.
    """
    votes: dict[str, Counter[tuple[float, float]]] = {}
    for mask, id in zip(masks, names, strict=True):
        if mask.error is None:
            votes.setdefault(id, Counter())[mask.width, mask.height] += 1
    # Of sizes that are as frequent, the first that was met.
    sizes = {id: counts.most_common(1)[0][0] for id, counts in votes.items()}
    given = {id: options.sizes.of(id) for id in sizes} if options.sizes else {}
    said = {id: size for id, size in given.items() if size is not None}
    unlike = {id: sizes.pop(id) for id in list(sizes) if len(votes[id]) > 1 and id not in said}
    return sizes | said, unlike


def _other_canvas(path: Path, id: str, mask: _Mask, most: tuple[float, float]) -> Problem:
    """Describe a mask on another canvas than most of its image."""
    message = (
        f"{mask.width} x {mask.height} pixels here, {most[0]:g} x {most[1]:g} in most masks of the "
        "image; against gold, those that differ from it are left out"
    )
    where = "the whole file"
    return problem("unlike_canvases", str(path), where, message, image_id=id)


def _fault(mask: _Mask, *, inverted: bool) -> tuple[str, str] | None:
    """Return why a mask cannot be used: kind of problem and message."""
    if mask.error is not None:
        found = f" ({mask.error.found})" if mask.error.found else ""
        return "unreadable_mask", f"{mask.error.what}{found}"
    if inverted:
        share = f"{mask.border:.0%} of the pixels along the border are object"
        return "inverted_mask", f"{share}; mask_object='dark' or 'light' says which side it is"
    return None


def _some(values: Sequence[Value]) -> str:
    """List a few values."""
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
