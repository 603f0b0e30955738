"""``annqc spec``: check, explain, propose and list specs."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from annqc.cli._app import WRONG_CALL
from annqc.cli._judging import spec_of
from annqc.cli._options import reading_options, said_of, sources_of, write_stdout
from annqc.errors import AnnqcError, ReadError, UnknownNameError
from annqc.report.plain import clean_lines, clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from annqc.judge import Spec
    from annqc.judge.describe import Description

__all__ = ["spec"]

WIDTH: Final = 80
LABEL: Final = 8
DEFAULT_OUT: Final = "delivery.annqc.toml"
SHRINK: Final = ((2, 16), (0, 20), (1, 20), (3, 10))
"""Column of the table -> how narrow it may get, in the order in which they give way."""
MANY_FILES: Final = 3
"""More files than this are written as a pattern, where one says the same."""


@click.group(short_help="Check, explain, propose and list specs.")
def spec() -> None:
    """Work with specs: files, *.annqc.toml, that say what is asked of a delivery.

    Wherever a SPEC is taken, the name of a profile will do, such as boxes.
    """


@spec.command(short_help="Check specs, and whether their data are there.")
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--examples", is_flag=True, help="Run the examples too, on simulated work.")
def check(*, specs: tuple[str, ...], examples: bool) -> int:
    """Read each SPEC, list all of its faults, and say whether the data it names are there.

    A folder stands for every spec in it.

    Exits with 2 if a spec has a fault or names data that are not there, else with 1 if an example
    comes out otherwise than it says, else with 0.
    """
    codes = []
    for text in _within_folders(specs):
        try:
            found = spec_of(text)
            missing = _tell_data(found)
        except AnnqcError as error:
            click.echo(clean_lines(f"annqc: {error}"), err=True)
            codes.append(WRONG_CALL)
            continue
        codes.append(WRONG_CALL if missing else 0)
        if examples:
            codes.append(_run_examples(found))
    return max(codes)


def _within_folders(specs: Iterable[str]) -> list[str]:
    """Put the specs that lie in a folder in its place."""
    from annqc.judge.model import SUFFIX

    listed: list[str] = []
    for text in specs:
        if not Path(text).is_dir():
            listed.append(text)
            continue
        inside = sorted(str(path) for path in Path(text).rglob(f"*{SUFFIX}"))
        if not inside:
            what = "there is no spec in the folder"
            raise ReadError(what, where=text, expected=f"files named *{SUFFIX}")
        listed += inside
    return listed


def _tell_data(found: Spec) -> int:
    """Print what a spec holds and where its data are; return how many paths lead nowhere."""
    from annqc.judge.describe import shown_path
    from annqc.judge.wording import number_of

    held = [number_of(len(found.rules), "rule"), number_of(len(found.examples), "example")]
    kind = "a profile, names no data" if found.is_profile else ""
    click.echo(clean_text(f"{shown_path(found.name)}: {', '.join(filter(None, [*held, kind]))}"))
    missing = 0
    read = found.datasets or (found.reading,)
    for path in dict.fromkeys(path for one in read for path in one.files):
        said, there = _found(path)
        missing += 0 if there else 1
        click.echo(f"  {clean_text(f'to read them: {shown_path(path)}')}: {said}")
    for one in found.datasets:
        name = f"{one.name}, " if one.name else ""
        sides = {"candidate": one.candidate, "gold": one.gold}
        if one.baseline is not None:
            sides["baseline"] = (one.baseline,)
        for side, paths in sides.items():
            if not paths:
                click.echo(f"  {clean_text(name)}{side}: not named; it must be given on the call")
            for path in paths:
                said, there = _found(path)
                # A baseline appears when a run is saved as one, so it may be missing at first.
                missing += 0 if there or side == "baseline" else 1
                shown = clean_text(f"{name}{side}: {shown_path(path)}")
                click.echo(f"  {shown}: {said}")
    return missing


def _found(path: str) -> tuple[str, bool]:
    """Say what is at a path or pattern, and whether anything is."""
    from annqc.judge.wording import number_of

    if "://" in path:
        return "remote, not looked at", True
    if Path(path).is_file():
        return "there", True
    if Path(path).is_dir():
        return "there, a folder", True
    files = glob.glob(path, recursive=True)  # noqa: PTH207 - absolute patterns
    return (number_of(len(files), "file"), True) if files else ("nothing is there", False)


def _run_examples(found: Spec) -> int:
    from annqc.cli._progress import Progress
    from annqc.testing.examples import run_example

    results = []
    with Progress(len(found.examples)) as progress:
        for one in found.examples:
            progress.step(f"example {one.name}")
            results.append(run_example(found, one))
    for result in results:
        click.echo(clean_lines(f"  {result}".replace("\n", "\n  ")))
    return 0 if all(result.ok for result in results) else 1


@spec.command(short_help="Say in words what a spec asks, and what it takes to pass.")
@click.argument("which", metavar="SPEC[::RULE]")
def explain(*, which: str) -> None:
    """Say what each rule asks, of whom, how strictly, and what it takes to pass."""
    from annqc.judge.describe import describe_rule, spec_lines

    text, _, rule = which.partition("::")
    found = spec_of(text)
    told = [describe_rule(found, one) for one in found.rules]
    if rule:
        known = [one.id for one in told]
        if rule not in known:
            kind = "rule"
            raise UnknownNameError.among(kind, rule, known, where=found.name)
        told = [one for one in told if one.id == rule]
    else:
        for label, said in spec_lines(found):
            _labelled(label, said, indent=0, width=LABEL + 2)
        click.echo()
        for line in _table(told):
            click.echo(line)
    for one in told:
        if not rule:
            click.echo()
        click.echo(clean_text(one.id))
        for label, said in one.lines():
            _labelled(label, said, indent=2, width=LABEL)


def _table(told: Sequence[Description]) -> list[str]:
    """Lay the rules out in as many columns as fit; what is long is told below anyway."""
    rows = [("rule", "limit", "of", "needs")]
    rows += [(one.id, one.limit, one.whom, one.needs) for one in told]
    widths = [max(len(clean_text(row[k])) for row in rows) for k in range(len(rows[0]))]
    over = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    for column, least in SHRINK:
        taken = max(0, min(over, widths[column] - least))
        widths[column] -= taken
        over -= taken
    return [
        "  ".join(
            clean_text(cell, width=width).ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _labelled(label: str, text: str, *, indent: int, width: int) -> None:
    """Print a label and its text, wrapped beside it."""
    from annqc.report.grid import hanging

    start = indent + width
    lines = hanging(clean_text(text), WIDTH, indent=start)
    lines = [line if k == 0 else f"{' ' * start}{line.lstrip()}" for k, line in enumerate(lines)]
    lines[0] = f"{' ' * indent}{label:<{width}}{lines[0].lstrip()}"
    for line in lines:
        click.echo(line)


@spec.command("list", short_help="List the profiles.")
def list_profiles() -> None:
    """List the profiles that come with annqc, each with what it is for."""
    from annqc.judge.describe import summary_of
    from annqc.judge.inherit import profiles

    found = profiles()
    width = max(map(len, found), default=0) + 2
    for name, path in sorted(found.items()):
        _labelled(name, summary_of(path.read_text(encoding="utf-8")), indent=0, width=width)


@spec.command(short_help="Print the JSON schema of the language, for editors.")
def schema() -> None:
    """Print the JSON schema of the spec language."""
    from annqc.judge.schema import schema_text

    write_stdout(schema_text().encode())


@spec.command(short_help="Look at data, and propose a spec for them.")
@click.argument("work", nargs=-1, required=True, metavar="WORK...")
@click.option("--gold", multiple=True, metavar="GOLD", help="What is trusted.")
@reading_options
@click.option("--gold-format", default="auto", metavar="NAME", help="Format of GOLD.")
@click.option(
    "-o",
    "--output",
    default=DEFAULT_OUT,
    show_default=True,
    metavar="FILE",
    help="Where the spec goes; - is stdout. Its paths are seen from its folder.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def init(
    *,
    work: tuple[str, ...],
    gold: tuple[str, ...],
    annotator: str | None,
    output: str,
    force: bool,
    **given: Any,
) -> None:
    """Look at WORK and GOLD, and write a spec that fits them, with comments on what was seen.

    Its limits are those that so much gold can settle. They are not fitted to the work: it may well
    fail. Without gold they are those of the profile. What the options say about reading it says
    too.
    """
    import annqc
    from annqc.cli._progress import Progress
    from annqc.cli._who import rule_at_work
    from annqc.judge import load_spec
    from annqc.judge.reading import READ_FILES
    from annqc.run.propose import Sources, propose

    target = None if output == "-" else Path(output)
    if target is not None:
        _refuse_target(target, force=force)
    folder = Path.cwd() if target is None else target.absolute().parent
    with Progress(2) as progress:
        progress.step("reading")
        said, of_gold = said_of(given), said_of(given, gold=True)
        # Whether a COCO file has outlines is only known once they are read.
        more: Any = {"shapes": True, "progress": progress.file}
        drawn = annqc.read(sources_of(work), annotator=annotator, **said | more)
        trusted = [annqc.read(sources_of(gold), **of_gold | more)] if gold else []
        progress.step("looking")
        if annotator is None:
            annotator = rule_at_work(
                drawn, lambda rule: annqc.read(sources_of(work), annotator=rule, **said | more)
            )
        if "format" in of_gold:
            said["gold_format"] = of_gold["format"]
        for name in READ_FILES:
            if isinstance(said.get(name), str):
                (said[name],) = _seen_from(folder, [said[name]])
        sources = Sources(
            candidate=_seen_from(folder, work),
            gold=_seen_from(folder, gold),
            annotator=annotator,
            read=said,
        )
        text = propose(annqc.audit(drawn, trusted[0]) if trusted else drawn, sources)
        proposed = load_spec(text)
    if target is None:
        write_stdout(text.encode())
        return
    from annqc.report.files import spare_inputs, whole_file

    spare_inputs([target], (drawn, *trusted))
    with whole_file(target) as file:
        file.write(text.encode())
    base = proposed.annqc.extends
    click.echo(clean_text(f"Written: {output}, which extends the profile {base}"))
    click.echo(clean_text(f"Next:  annqc spec explain {output}"))
    sides = "" if gold else "WORK --gold GOLD "
    click.echo(clean_text(f"       annqc audit {sides}--spec {output}"))


def _refuse_target(target: Path, *, force: bool) -> None:
    """Refuse a file that would not be found again, or that is there."""
    from annqc.judge.model import SUFFIX
    from annqc.report.files import refuse_missing_folder

    if not target.name.endswith(SUFFIX):
        message = f"the name of a spec ends in {SUFFIX}, or pytest would not find it: {target}"
        raise click.UsageError(message)
    refuse_missing_folder(target)
    if not force and (target.exists() or target.is_symlink()):
        what = "the file is there already, and is not replaced unasked"
        raise ReadError(what, where=str(target), hint="give another name with -o, or --force")


def _seen_from(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Return paths as a spec in that folder writes them; many of one kind as a pattern."""
    listed = list(paths)
    pattern = _pattern(listed)
    out = []
    for path in [pattern] if pattern is not None else listed:
        if "://" in path:
            out.append(path)
            continue
        try:
            near = os.path.relpath(path, folder)
        except ValueError:  # another drive
            near = os.path.abspath(path)  # noqa: PTH100 - a pattern stays as it is
        out.append(near.replace(os.sep, "/") if sys.platform == "win32" else near)
    return tuple(out)


def _pattern(paths: Sequence[str]) -> str | None:
    """Return a pattern that finds exactly these files, where there are many of one kind."""
    if len(paths) <= MANY_FILES:
        return None
    homes = {os.path.dirname(path) for path in paths}  # noqa: PTH120
    suffixes = {Path(path).suffix for path in paths}
    if len(homes) != 1 or len(suffixes) != 1:
        return None
    pattern = os.path.join(glob.escape(homes.pop()), f"*{suffixes.pop()}")  # noqa: PTH118
    found = set(map(os.path.normpath, glob.glob(pattern)))  # noqa: PTH207
    return pattern if found == set(map(os.path.normpath, paths)) else None
