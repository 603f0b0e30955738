"""report: checks as a folder with a page that needs nothing but a browser."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError
from annqc.report.checks.document import write_json
from annqc.report.checks.markdown import markdown
from annqc.report.checks.places import inside, place_of_error, work_tree
from annqc.report.checks.plot import HEIGHT, WIDTH, interval_of, scale_of
from annqc.report.checks.record import limit_words, value_name
from annqc.report.checks.sarif import write_sarif
from annqc.report.checks.trouble import ran_words
from annqc.report.plain import clean_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import jinja2

    from annqc.report.checks.document import Document
    from annqc.report.checks.plot import Interval
    from annqc.report.checks.record import Record
    from annqc.report.checks.trouble import SpecTrouble

__all__ = ["FILES", "environment", "page", "write_report"]

FILES: Final = {
    "index.html": '<meta name="generator" content="annqc',
    "checks.json": '"format": "annqc-checks"',
    "checks.sarif": '"name": "annqc"',
    "summary.md": "## annqc:",
}
"""The files of a report, and what each has near its beginning if it is one of ours."""
BEGINNING: Final = 2_000
MOST_ROWS: Final = 20
"""Groups that the page draws of a check; the others that the record has are a list to open."""
NONE: Final = "none"
OUTCOMES: Final = ("fail", "error", "undecided", "not_applicable", "pass")
DIGITS: Final = {"": 3, "tolerances": 1, "px": 1, "%": 1}
"""Digits of a number in a unit; "" is a rate, a count or the like."""
QUANTITIES: Final = {
    "out_left": "left edge",
    "out_top": "top edge",
    "out_right": "right edge",
    "out_bottom": "bottom edge",
    "dx": "position across",
    "dy": "position up and down",
    "dw": "width",
    "dh": "height",
}


def write_report(document: Document, folder: Path, *, root: str | None = None) -> Path:
    """Write a report: the page, and the same as JSON, Markdown and SARIF.

    Parameters
    ----------
    document : dict
        From `annqc.report.checks.make_document`.
    folder : Path
        Made where it is not there; the folder around it must be. A report that lies there is
        replaced, file by file; nothing else is touched.
    root : str, optional
        Root of the work tree for the paths in the SARIF file, as in `annqc.report.checks.sarif`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    AnnqcError
        Where a file of the name of one of ours is not ours, or the system refuses.
    """
    from annqc.report.files import cannot_write, refuse_missing_folder, whole_file

    _refuse_foreign(folder)
    refuse_missing_folder(folder)
    text = page(document)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    write_json(document, folder / "checks.json")
    write_sarif(document, folder / "checks.sarif", root=root)
    for name, written in (("summary.md", markdown(document)), ("index.html", text)):
        with whole_file(folder / name) as file:
            file.write(written.encode("utf-8", "backslashreplace"))
    return folder / "index.html"


def page(document: Document) -> str:
    """Return the page: one file without scripts, pictures or anything from elsewhere."""
    template = environment().get_template("checks.html")
    return template.render(
        document=document,
        files=[name for name in FILES if name != "index.html"],
        tally=[(name, document["counts"][name]) for name in OUTCOMES if document["counts"][name]],
        sections=_sections(document["checks"]),
        errors=[_error(one) for one in document["errors"]],
        ran=ran_words(document["run"]),
        run_url=_link(document["provenance"]["run_url"]),
    )


@cache
def environment() -> jinja2.Environment:
    """Return the templates of reports; whatever is put into them is escaped."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("annqc.report.checks"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {"words": _words}
    made.globals |= {"plot_width": WIDTH, "plot_height": HEIGHT}
    return made


def _finalize(value: Any) -> Any:
    """Clean all text on its way into a page; ``Markup`` comes from our own templates."""
    return clean_lines(value) if type(value) is str else value


def _words(name: str) -> str:
    return QUANTITIES.get(name, name.replace("_", " "))


def _number(value: float | None, unit: str) -> str:
    """Write a number with as many digits as its kind deserves; `NONE` for None."""
    if value is None:
        return NONE
    if isinstance(value, int):
        text = f"{value:,}"
    else:
        text = f"{value:,.{DIGITS[unit]}f}" if abs(value) < 10 or unit else f"{value:,.1f}"
    return text.replace("-", "−")  # noqa: RUF001 - a minus sign, as wide as the digits


def _sections(checks: Sequence[Record]) -> list[dict[str, Any]]:
    """Gather checks by spec and dataset, the order kept."""
    found: dict[tuple[str | None, str], list[dict[str, Any]]] = {}
    for record in checks:
        found.setdefault((record["spec"], record["dataset"]), []).append(_view(record))
    home = work_tree()
    return [
        {
            "spec": None if spec is None else inside(spec, home) or spec,
            "dataset": dataset,
            "checks": views,
        }
        for (spec, dataset), views in found.items()
    ]


def _error(error: SpecTrouble) -> dict[str, Any]:
    """Return what the page shows of a spec that could not be read."""
    home = work_tree()
    file, line = place_of_error(error, home)
    return {"place": f"{inside(file, home) or file}, line {line}", "message": error["message"]}


def _view(record: Record) -> dict[str, Any]:
    """Return what the page shows of a check."""
    rows = record["rows"][:MOST_ROWS]
    scale = scale_of(record, rows)
    columns = _columns(record)
    tracks = any("or track" in row["text"] for row in rows)
    return {
        **record,
        "sentences": clean_lines(record["sentence"]).split("\n"),
        "limit": limit_words(record),
        "scale": scale,
        "axis": _axis(record, columns[0][0], banded=scale is not None and scale.good is not None),
        "columns": [title for title, _, _ in columns],
        "unit": "images or tracks" if tracks else "images",
        "shown": [
            _row(row, columns, None if scale is None else interval_of(row, scale)) for row in rows
        ],
        "more": [_row(row, columns, None) for row in record["rows"][MOST_ROWS:]],
        "left": record["n_rows"] - len(record["rows"]),
    }


def _columns(record: Record) -> list[tuple[str, str, str]]:
    """Choose the columns of numbers: title, ending of the fields, unit.

    The first is what is drawn, so that the numbers beside a drawing say the same; an offset, which
    is judged in tolerances, is told in pixels and in shares of the side besides.
    """
    rows = record["rows"]
    name = next((name for row in rows if (name := value_name(row))), "estimate")
    if not any(row.get("quantity") is not None for row in rows) or name == "count":
        return [(name, "", "")]
    title = "tolerances" if name == "estimate" else f"{name}, tolerances"
    units = (("in px", "_px", "px"), ("in % of the side", "_rel", "%"))
    further = [one for one in units if any(row.get(f"{name}{one[1]}") is not None for row in rows)]
    return [(f"in {title}" if name == "estimate" else title, "", "tolerances"), *further]


def _axis(record: Record, title: str, *, banded: bool) -> str:
    """Say what the drawings are in, and what their band is."""
    said = [title] if title.startswith("in ") or record["no_worse_than"] is not None else []
    return "; ".join([*said, *(["the band is what is asked"] if banded else [])])


def _row(
    row: Mapping[str, Any], columns: Sequence[tuple[str, str, str]], drawn: Interval | None
) -> dict[str, Any]:
    """Return what the page shows of a group."""
    name = value_name(row) or "estimate"
    numbers = []
    for _, ending, unit in columns:
        values = [row.get(f"{one}{ending}") for one in (name, "ci_low", "ci_high")]
        if unit == "%":
            values = [None if one is None else 100 * one for one in values]
        value, low, high = (_number(one, unit) for one in values)
        bare = low == high == NONE
        numbers.append({"value": value, "interval": "" if bare else f"{low} to {high}"})
    group = row["group"]
    others = ", ".join(f"{name} {value}" for name, value in group.items() if name != "annotator")
    drawer = "annotator" in group
    return {
        "outcome": row["outcome"],
        "who": str(group["annotator"]) if drawer else others or "everything together",
        "others": others if drawer else "",
        "quantity": row.get("quantity"),
        "numbers": numbers,
        "n_clusters": _number(row.get("n_clusters"), ""),
        "text": row["text"],
        # What an undecided group lacks stands behind its numbers; the others need no reason.
        "reason": row["text"].partition("): ")[2] if row["outcome"] == "undecided" else "",
        "drawn": drawn,
    }


def _link(address: str | None) -> str | None:
    """Return an address that is safe to link to."""
    return address if address is not None and address.startswith("https://") else None


def _refuse_foreign(folder: Path) -> None:
    """Raise where writing the report would replace something that is no report."""
    if not os.path.lexists(folder):
        return
    what = "this is no report of annqc, and would be overwritten"
    hint = "give the name of a folder that does not exist yet"
    if not folder.is_dir() or folder.is_symlink():
        raise AnnqcError(what, where=str(folder), found="a file or a link", hint=hint)
    for name, beginning in FILES.items():
        path = folder / name
        if os.path.lexists(path) and not _is_ours(path, beginning):
            raise AnnqcError(what, where=str(folder), found=name, hint=hint)


def _is_ours(path: Path, beginning: str) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return beginning.encode() in file.read(BEGINNING)
    except OSError:
        return False
