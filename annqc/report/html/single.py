"""report: all pages folded into one file, to be sent by e-mail.

Every page becomes a part of one document: without scripts a reader sees them one below the other,
with scripts one at a time. Only what our own templates wrote is taken apart here, in which every
value of an attribute is quoted and escaped.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import secrets
from pathlib import PurePosixPath
from posixpath import dirname, normpath
from posixpath import join as joined
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from annqc.errors import AnnqcError
from annqc.report.files import refuse_missing_folder, whole_file
from annqc.report.html.folder import REPORT, SUFFIXES
from annqc.report.ownfolder import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import jinja2

__all__ = ["COMPACT", "fold", "refuse_other", "write_single"]

COMPACT: Final[dict[str, Any]] = {
    "sort_keys": True,
    "ensure_ascii": False,
    "separators": (",", ":"),
}
"""How figures are written into a page."""
LINKS: Final = ("href", "src", "xlink:href")
REFERENCES: Final = (
    "id",
    "for",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "headers",
    "data-picture",
    "data-search",
    "data-found",
)
"""Attributes that hold ids of the same page."""
ATTRIBUTE: Final = re.compile(rf'(?<=\s)({"|".join((*LINKS, *REFERENCES))})="([^"]*)"')
SAVED: Final = re.compile(r'\sdownload="[^"]*"')
LAYOUT: Final = re.compile(
    r"<body[^>]*>(?P<start>.*?)<h1[^>]*>(?P<heading>.*?)</h1>(?P<rest>.*?)"
    r"<main[^>]*>(?P<main>.*)</main>(?P<after>.*)</body>",
    re.DOTALL,
)
TAG: Final = re.compile(r"<([a-z][a-z0-9]*)\s[^<>]*>")
FIGURE: Final = re.compile(r"(<script [^<>]*data-picture=[^<>]*>)([^<]*)")
"""In text, in values of attributes and in figures ``<`` and ``>`` are escaped."""
PAINT: Final = re.compile(r'="url\(#([^)"]+)\)"')
MAIN: Final = "main"
IMAGES: Final = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""What an image is, by the end of its name; images are packed already, and other files here."""


class _Page:
    """A page, with every id and link made to fit a document of all pages.

    Attributes
    ----------
    key : str
        What it is called in the one file.
    heading, main : str
        What its heading says, and its contents.
    before, after : str
        What stands around them.
    """

    def __init__(self, name: str, contents: Mapping[str, bytes]) -> None:
        self.name, self.contents, self.key = name, contents, _key(name)
        found = LAYOUT.search(contents[name].decode("utf-8"))
        if found is None:
            message = f"{name} has a heading and contents"
            raise AssertionError(message)
        parts = {part: self._fit(text) for part, text in found.groupdict().items()}
        self.before = parts["start"] + parts["rest"]
        self.heading, self.main, self.after = parts["heading"], parts["main"], parts["after"]

    def _fit(self, text: str) -> str:
        """Rewrite a part of a page: its tags, and the links of its pictures."""
        text = TAG.sub(lambda found: self._fitted(found[1], found[0]), text)
        return FIGURE.sub(lambda found: f"{found[1]}{self._figure(found[2])}", text)

    def _fitted(self, tag: str, raw: str) -> str:
        """Rewrite the ids and links in the text of a tag."""

        def rewritten(found: re.Match[str]) -> str:
            name, value = found[1], html.unescape(found[2])
            if name in REFERENCES:
                value = " ".join(f"{self.key}--{one}" for one in value.split())
                return f'{name}="{html.escape(value)}"'
            value, file = self._link(value)
            saved = f' download="{html.escape(file)}"' if file and tag == "a" else ""
            return f'{name}="{html.escape(value)}"{saved}'

        # What is saved has the name that the file has inside.
        text = ATTRIBUTE.sub(rewritten, SAVED.sub("", raw) if tag == "a" else raw)
        return PAINT.sub(rf'="url(#{self.key}--\1)"', text)

    def _link(self, value: str) -> tuple[str, str]:
        """Return where a link leads in the one file; and a name where that is a file inside it."""
        parts = urlsplit(value)
        if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
            return value, ""
        path = normpath(joined(dirname(self.name), unquote(parts.path)))
        target = path if parts.path else self.name
        if target not in self.contents:
            return value, ""
        if target.endswith(".html"):
            if parts.fragment == MAIN:
                return f"#{MAIN}", ""
            return f"#{_key(target)}{f'--{parts.fragment}' if parts.fragment else ''}", ""
        return _inside(target, self.contents[target])

    def _figure(self, data: str) -> str:
        """Fit the links of a picture."""
        from jinja2.utils import htmlsafe_json_dumps

        if '"pages"' not in data:
            return data
        figure: dict[str, Any] = json.loads(data)
        meta = figure.get("layout", {}).get("meta", {})
        if "pages" not in meta:
            return data
        meta["pages"] = [self._link(one)[0] if one else one for one in meta["pages"]]
        return str(htmlsafe_json_dumps(figure, **COMPACT))


def fold(contents: Mapping[str, bytes], templates: jinja2.Environment, *, version: str) -> bytes:
    """Fold the files of a report into one page.

    Parameters
    ----------
    contents : mapping of str to bytes
        Path inside the folder of a report, with ``/``, to what is in the file; the first page is
        ``index.html``.
    templates : jinja2.Environment
        Where ``single.html`` is.
    version : str
        Of annqc.

    Returns
    -------
    bytes
        A document that needs nothing besides.

    Notes
    -----
    plotly is three quarters of a report, and is packed with gzip; browsers have been able to
    unpack it since 2023. In older ones there are the numbers, and no pictures.
    """
    names = [name for name in contents if name.endswith(".html")]
    names.sort(key=lambda name: name != "index.html")
    pages = [_Page(name, contents) for name in names]
    assets = {name: contents[f"assets/{name}"].decode("utf-8") for name in ("style.css", "app.js")}
    text = templates.get_template("single.html").render(
        nonce=secrets.token_urlsafe(16),
        version=version,
        before=pages[0].before,
        after=pages[0].after,
        pages=pages,
        style=assets["style.css"],
        app=assets["app.js"],
        plotly=_packed(contents["assets/plotly.min.js"]),
    )
    return text.encode("utf-8", "backslashreplace")


def write_single(data: bytes, path: Path) -> None:
    """Write a report of one file; an earlier one is replaced once the new one is whole.

    Parameters
    ----------
    data : bytes
        From `fold`.
    path : Path
        The folder around it must be there.

    Raises
    ------
    AnnqcError
        Where something else is there, or the system refuses.
    """
    refuse_other(path)
    with whole_file(path) as file:
        file.write(data)


def refuse_other(path: Path) -> None:
    """Raise where a report of one file cannot be: another file is there, or it is no page.

    Parameters
    ----------
    path : Path
        Where the report is to be.

    Raises
    ------
    AnnqcError
        Where something would be lost, or the name is not that of a page.
    """
    if path.suffix.lower() not in SUFFIXES:
        what = "a report of one file is a page, and browsers go by the end of its name"
        hint = f"call it {path.name or 'report'}.html"
        raise AnnqcError(what, where=str(path), expected="a name that ends in .html", hint=hint)
    refuse_missing_folder(path)
    if not path.exists():
        return
    what = "this is no report of annqc, and would be overwritten"
    hint = "give the name of a file that does not exist yet"
    if not path.is_file():
        hint = "a folder is written without --single-file"
        raise AnnqcError(what, where=str(path), found="a folder, or no plain file", hint=hint)
    try:
        with path.open("rb") as file:
            beginning = file.read(BEGINNING)
    except OSError as error:
        found = error.strerror or str(error)
        raise AnnqcError(what, where=str(path), found=found, hint=hint) from None
    if beginning and REPORT.generator.encode() not in beginning:
        raise AnnqcError(what, where=str(path), found="another file", hint=hint)


def _key(name: str) -> str:
    """Return what the part of a page is called in the one file."""
    return name.removesuffix(".html").replace("/", "-")


def _inside(name: str, data: bytes) -> tuple[str, str]:
    """Return a file as a link, and the name that it is saved by."""
    path = PurePosixPath(name)
    kind = IMAGES.get(path.suffix)
    if kind is None:
        return f"data:application/gzip;base64,{_packed(data)}", f"{path.name}.gz"
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}", path.name


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")
