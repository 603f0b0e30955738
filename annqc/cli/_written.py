"""What a command writes: its tables as JSON and as CSV files, and the line that says where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from annqc.cli._options import asides_of, write_stdout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from annqc.tables import Array, Dataset

__all__ = ["json_of_tables", "say_written", "write_documents"]


def json_of_tables(
    tables: Mapping[str, Mapping[str, Array]], **sides: Dataset | None
) -> dict[str, Any]:
    """Make a document of tables: what was read, then one list of rows for each table.

    Parameters
    ----------
    tables : mapping of str to columns
        The tables by name.
    **sides : Dataset or None
        What was read, by its role.
    """
    from annqc.report.json import input_rows, rows_of

    given = {name: one for name, one in sides.items() if one is not None}
    return {
        "inputs": input_rows(**given),
        **{name: rows_of(dict(columns)) for name, columns in tables.items()},
    }


def write_documents(
    given: dict[str, Any],
    document: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Array]],
    sides: Sequence[Dataset],
    *,
    targets: Sequence[str] = (),
) -> list[str]:
    """Write what ``--json`` and ``--csv`` ask for, and say what is where.

    Parameters
    ----------
    given : dict
        The options: ``json_`` and ``csv_``, and those that name files beside the work.
    document : mapping
        What becomes JSON.
    tables : mapping of str to columns
        What becomes CSV.
    sides : sequence of Dataset
        The inputs, of which nothing may be overwritten.
    targets : sequence of str
        Further files that the command writes, checked with the others before any is written.
    """
    from annqc.report.files import spare_inputs, whole_file
    from annqc.report.json import encode
    from annqc.report.tablefiles import write_columns

    files = [Path(one) for one in targets]
    if given["json_"] not in {None, "-"}:
        files.append(Path(given["json_"]))
    if given["csv_"] is not None:
        files += [Path(given["csv_"]) / f"{name}.csv" for name in tables]
    spare_inputs(files, sides, also=asides_of(given))
    written: list[str] = []
    if given["json_"] is not None:
        data = encode(dict(document))
        if given["json_"] == "-":
            write_stdout(data)
        else:
            with whole_file(Path(given["json_"])) as file:
                file.write(data)
            written.append(f"JSON in {given['json_']}")
    if given["csv_"] is not None:
        write_columns(Path(given["csv_"]), {name: dict(one) for name, one in tables.items()})
        written.append(f"tables in {given['csv_']}")
    return written


def say_written(console: Console, written: Sequence[str]) -> None:
    """Print the last line, where something was written."""
    from annqc.report.plain import clean_text

    if written:
        console.print()
        console.print(clean_text("Written: " + ", ".join(written)), soft_wrap=True)
