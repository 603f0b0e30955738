"""judge: how a spec says that its data are read, in the words of the command line."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from annqc.judge.paths import locate

__all__ = ["READ_FILES", "ReadSpec", "located_files"]

READ_FILES: Final = ("categories", "image_sizes")
"""Fields that may name a file."""


class ReadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table ``[read]``: how files are read, where they do not say it themselves.

    Attributes
    ----------
    format, gold_format : str or None
        Format of the candidate and of the gold, such as ``"coco"``; told from the files if left
        out.
    box_format : str or None
        What the four numbers of a table mean: ``"xyxy"``, ``"xywh"`` or ``"cxcywh"``.
    columns : dict of str to str
        What a table calls a column, such as ``image_id = "asset"``.
    categories : str, tuple of str or None
        Names of the categories: a file with one a line, or a list.
    image_sizes : str, (int, int) or None
        Sizes of images: a CSV file with the columns file_name, width and height, or one size for
        all, such as ``"640x480"``.
    mask_object, mask_values : str or None
        What the object is in mask images, and what their values are, as `annqc.read` takes it.
    shapes : bool or None
        Whether polygons and masks are read too, where a format leaves the choice; if it is left
        out, they are where a rule asks for them.
    only, gold_only : tuple of str
        Annotators whose work is judged, and whose annotations are the gold; everybody's if left
        out. Without files of gold, the gold is what these drew of the work.
    """

    format: str | None = None
    gold_format: str | None = None
    box_format: str | None = None
    columns: dict[str, str] = {}
    categories: str | tuple[str, ...] | None = None
    image_sizes: str | tuple[int, int] | None = None
    mask_object: str | None = None
    mask_values: str | None = None
    shapes: bool | None = None
    only: tuple[str, ...] = ()
    gold_only: tuple[str, ...] = ()

    def given(self) -> dict[str, Any]:
        """Return the fields of ``[read]`` that are there, by name."""
        found = {name: getattr(self, name) for name in ReadSpec.__struct_fields__}
        return {name: value for name, value in found.items() if value not in (None, {}, ())}

    def over(self, other: ReadSpec, folder: str | None) -> dict[str, Any]:
        """Return its fields and, where it has none, those of another; files seen from a folder.

        Columns are put together one by one.
        """
        both = other.given() | self.given()
        if "columns" in both:
            both["columns"] = {**other.columns, **self.columns}
        return located_files(both, folder)

    def options(self, *, gold: bool = False) -> dict[str, Any]:
        """Return what `annqc.read` is told of one side, the annotator left out.

        Parameters
        ----------
        gold : bool
            Of the gold, and not of the candidate.

        Examples
        --------
        >>> ReadSpec(format="table", columns={"image_id": "asset"}).options()
        {'format': 'table', 'columns': {'image_id': 'asset'}}
        """
        found = self.given()
        formats = {"gold": found.pop("gold_format", None), "work": found.pop("format", None)}
        chosen = formats["gold" if gold else "work"]
        names = {"gold": found.pop("gold_only", None), "work": found.pop("only", None)}
        who = names["gold" if gold else "work"]
        found |= {} if who is None else {"only": who}
        return ({} if chosen is None else {"format": chosen}) | found

    @property
    def files(self) -> list[str]:
        """The files that it names."""
        named = [getattr(self, name) for name in READ_FILES]
        return [one for one in named if isinstance(one, str)]


def located_files(values: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """Return the fields with the files among them seen from a folder."""
    files = {name: values.get(name) for name in READ_FILES}
    return values | {
        name: locate(one, folder) for name, one in files.items() if isinstance(one, str)
    }
