"""report: what kept checks from being made: specs in error, runs that ended early."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from annqc.report.plain import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SpecTrouble", "make_run", "make_spec_error", "one_line", "ran_words"]

SpecTrouble = dict[str, Any]

_PLACE: Final = re.compile(r"^\s+(?:(?P<file>\S.*?), )?line (?P<line>\d+)\b", re.MULTILINE)
"""How a listed fault begins; the file is named where it is not the spec itself."""


def make_spec_error(spec: str, text: str) -> SpecTrouble:
    r"""Turn the message on a spec that cannot be read into plain values, ready for JSON.

    Parameters
    ----------
    spec : str
        File of the spec.
    text : str
        The message, of one line or several.

    Returns
    -------
    dict
        As `annqc.report.checks.schema.SpecError` describes it.

    Examples
    --------
    >>> text = "a.annqc.toml: the spec has 1 fault\n  line 3, [annqc], extends: no such profile"
    >>> found = make_spec_error("a.annqc.toml", text)
    >>> found["line"], found["message"].splitlines()[0]
    (3, 'the spec has 1 fault')
    """
    place = _PLACE.search(text)
    return {
        "spec": encodable(spec),
        "file": None if place is None or place["file"] is None else encodable(place["file"]),
        "line": None if place is None else int(place["line"]),
        "message": encodable(text.removeprefix(f"{spec}: ").strip()),
    }


def one_line(error: SpecTrouble) -> str:
    r"""Put the message on a spec on one line.

    Examples
    --------
    >>> one_line({"message": "the spec has 2 faults\n  line 3: a is missing\n  line 4: b"})
    'the spec has 2 faults: line 3: a is missing; line 4: b'
    """
    message: str = error["message"]
    first, *rest = [line.strip() for line in message.splitlines()] or [""]
    return first + (f": {'; '.join(rest)}" if rest else "")


def make_run(
    n_ran: int,
    *,
    n_collected: int | None = None,
    exit_code: int | None = None,
    trouble: str | None = None,
) -> dict[str, Any]:
    """Say how much of what there was to check was checked.

    Parameters
    ----------
    n_ran : int
        Checks that were made.
    n_collected : int, optional
        Checks that there were; as many if not given.
    exit_code : int, optional
        Of the program that made them.
    trouble : str, optional
        Why the run ended early, if it did.
    """
    known = n_ran if n_collected is None else max(n_collected, n_ran)
    return {
        "n_collected": known,
        "n_ran": n_ran,
        "exit_code": exit_code,
        "trouble": None if trouble is None else encodable(trouble),
    }


def ran_words(run: Mapping[str, Any]) -> str:
    """Say how many checks ran, and why no more; empty where all ran and nothing went wrong.

    Examples
    --------
    >>> ran_words(make_run(2, n_collected=5, trouble="stopping after 1 failures"))
    '2 of 5 checks ran: stopping after 1 failures'
    >>> ran_words(make_run(5))
    ''
    """
    ran, known, trouble = run["n_ran"], run["n_collected"], run["trouble"]
    if ran == known and trouble is None:
        return ""
    if not known:
        return str(trouble)
    checks = f"{ran:,} of {known:,} {'check' if known == 1 else 'checks'} ran"
    return checks if trouble is None else f"{checks}: {trouble}"
