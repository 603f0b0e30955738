"""How every command ends: one clear message and an exit code, and no traceback unasked."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from annqc.errors import AnnqcError
from annqc.report.plain import clean_lines, clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WRONG_CALL", "App"]

WRONG_CALL: Final = 2
FAULT: Final = 70
"""What sysexits.h calls an internal software error."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""What a shell makes of SIGPIPE."""
NO_OUTPUT: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What the system says where a stream cannot take any more."""


class App(click.Group):
    """The command group, with annqc's way of ending."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the arguments; ``--help`` and ``--version`` print and end here.

        Parameters
        ----------
        info_name : str
            What the program is called.
        args : list of str
            Arguments.
        parent : click.Context, optional
            None, for this is no command of another group.
        **extra
            Passed on to click.
        """
        with _output_watched():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; where nobody reads its output any more, stop without a word.

        Parameters
        ----------
        ctx : click.Context
            What click knows of the call.
        """
        with _output_watched():
            result = super().invoke(ctx)
            sys.stdout.flush()
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
        _prepare_streams()
        try:
            code = super().main(given, prog_name or "annqc", standalone_mode=False, **extra)
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
        except click.ClickException as error:
            shown = io.StringIO()
            error.show(shown)
            _tell(shown.getvalue().rstrip("\n"))
            sys.exit(error.exit_code)
        except AnnqcError as error:
            _tell(f"annqc: {error}")
            sys.exit(WRONG_CALL)
        except (click.Abort, KeyboardInterrupt):
            _tell("annqc: interrupted")
            sys.exit(INTERRUPTED)
        except Exception as error:
            if debug:
                raise
            _tell(_apology(error))
            sys.exit(FAULT)
        sys.exit(code if isinstance(code, int) else 0)


def _prepare_streams() -> None:
    """Make both streams such that printing cannot fail for a name, or because they are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started annqc: there is nobody to tell
            stream = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
            setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def _output_watched() -> Iterator[None]:
    """Stop without a word where nobody reads on, and with one where the output takes no more."""
    try:
        yield
    except BrokenPipeError:
        _forget_output()
        raise SystemExit(PIPE_CLOSED) from None
    except OSError as error:
        # Files are watched where they are written; what has no name is a stream.
        if error.errno not in NO_OUTPUT or error.filename is not None:
            raise
        _forget_output()
        what = "the output cannot be written"
        found = error.strerror or str(error)
        raise AnnqcError(what, where="standard output", found=found) from None


def _forget_output() -> None:
    """Drop what is still in the buffer: it has nowhere to go, and must not complain at exit."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _tell(text: str) -> None:
    """Print a message on standard error, whatever is in it; it may hold names from the input."""
    with suppress(OSError):
        click.echo(clean_lines(text), err=True)


def _apology(error: Exception) -> str:
    first = clean_text((str(error).splitlines() or [""])[0])
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return (
        f"annqc: sorry, this is a fault of annqc and not of yours ({what}); "
        "run with --debug for the traceback"
    )
