"""How every command ends: one clear message and an exit code, and no traceback unasked."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from annqc.errors import AnnqcError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WRONG_CALL", "App"]

WRONG_CALL: Final = 2
FAULT: Final = 70
"""What sysexits.h calls an internal software error."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141


class App(click.Group):
    """The command group, with annqc's way of ending."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; where nobody reads its output any more, stop without a word.

        Parameters
        ----------
        ctx : click.Context
            What click knows of the call.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still in the buffer has nowhere to go, and must not complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(PIPE_CLOSED) from None
        return result

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and exit.

        Parameters
        ----------
        args : sequence of str, optional
            Arguments; those of the process if not given. ``--debug`` counts wherever it stands.
        prog_name : str, optional
            What the program is called in messages.
        **extra
            Passed on to click.
        """
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        given = [one for one in given if one != "--debug"]
        extra.pop("standalone_mode", None)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(
                stream, "reconfigure"
            ):  # a name that the terminal cannot show is no reason to stop
                stream.reconfigure(errors="replace")
        try:
            code = super().main(given, prog_name or "annqc", standalone_mode=False, **extra)
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except AnnqcError as error:
            click.echo(f"annqc: {error}", err=True)
            sys.exit(WRONG_CALL)
        except (click.Abort, KeyboardInterrupt):
            click.echo("annqc: interrupted", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:
            if debug:
                raise
            click.echo(_apology(error), err=True)
            sys.exit(FAULT)
        sys.exit(code if isinstance(code, int) else 0)


def _apology(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return (
        f"annqc: sorry, this is a fault of annqc and not of yours ({what}); "
        "run with --debug for the traceback"
    )
