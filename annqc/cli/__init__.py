"""The command line: thin commands over `annqc.api`. What a command needs is imported when it runs.

Exit codes: 0 done, all checks pass; 1 a check failed; 2 the input or the call is wrong; 3 nothing
failed and something is undecided; 70 a fault of annqc itself; 130 interrupted; 141 nobody reads
the output any more.
"""

from __future__ import annotations

import click

import annqc
from annqc.cli._app import App
from annqc.cli.agreement import agreement
from annqc.cli.audit import audit
from annqc.cli.consensus import consensus
from annqc.cli.demo import demo
from annqc.cli.diff import diff
from annqc.cli.lint import lint
from annqc.cli.review import review
from annqc.cli.spec import spec
from annqc.cli.tracks import tracks

__all__ = ["main"]


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(annqc.__version__, prog_name="annqc", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback where annqc itself is at fault.")
def main(*, debug: bool) -> None:
    """Tell who draws annotations in the wrong place, on which edge, and how sure that is.

    \b
    Exit codes
      0    done; with a spec, all checks pass
      1    a check failed
      2    the input or the call is wrong
      3    no check failed, and something is undecided
      70   a fault of annqc itself
      130  interrupted
      141  nobody reads the output any more
    """  # noqa: D301 - the mark of a paragraph in which click keeps the lines


for _command in (audit, tracks, consensus, agreement, diff, review, lint, spec, demo):
    main.add_command(_command)
