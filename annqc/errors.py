"""The errors a user can meet, and how they are worded. Imports nothing of ours.

Every refusal says what went wrong, where, what was expected, what was found and what to do about
it, so that nobody has to read a traceback to learn that a column was called ``xmin`` and not
``x_min``.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AnnqcError",
    "AnnqcWarning",
    "MatchError",
    "ReadError",
    "SpecError",
    "TableError",
    "UnknownNameError",
    "did_you_mean",
]


class AnnqcWarning(UserWarning):
    """Something a user should know, that does not stop the work."""


class AnnqcError(Exception):
    """Base of everything annqc raises for something the user wrote.

    Parameters
    ----------
    what : str
        One sentence: what cannot be done.
    where : str, optional
        File, line, JSON path, table column or annotation id.
    expected, found : str, optional
        What would have been right, and what was there instead.
    hint : str, optional
        What to do next.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(self.render())

    def render(self) -> str:
        """Return the whole message, one line a part."""
        parts = [self.what]
        labelled = (
            ("where", self.where),
            ("expected", self.expected),
            ("found", self.found),
            ("to do", self.hint),
        )
        parts += [f"  {label}: {text}" for label, text in labelled if text]
        # File names may hold bytes that are no text; printing them must not raise.
        return "\n".join(parts).encode("utf-8", "backslashreplace").decode("utf-8")

    def __str__(self) -> str:
        return self.render()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.expected, self.found, self.hint)


def _rebuild(
    cls: type[AnnqcError],
    what: str,
    where: str | None,
    expected: str | None,
    found: str | None,
    hint: str | None,
) -> AnnqcError:
    """Unpickle an error: keyword-only parts do not survive the default protocol."""
    return cls(what, where=where, expected=expected, found=found, hint=hint)


class ReadError(AnnqcError, ValueError):
    """A file cannot be read as annotations."""


class TableError(AnnqcError, ValueError):
    """A table lacks a column, or a column holds what it must not."""


class MatchError(AnnqcError, ValueError):
    """A reference and a candidate cannot be compared."""


class SpecError(AnnqcError, ValueError):
    """A spec, a tolerance or a parameter is written wrongly."""


class UnknownNameError(AnnqcError, KeyError):
    """A name is not one of those that exist."""

    @classmethod
    def among(
        cls, kind: str, name: object, choices: Iterable[str], *, where: str | None = None
    ) -> UnknownNameError:
        """Build the error for ``name`` that is not in ``choices``.

        Parameters
        ----------
        kind : str
            What the name stands for, such as ``"column"`` or ``"match method"``.
        name : object
            What the user wrote.
        choices : iterable of str
            What would have been accepted.
        where : str, optional
            Where it was written.
        """
        known = sorted(choices)
        return cls(
            f"there is no {kind} {name!r}",
            where=where,
            expected="one of " + ", ".join(known) if known else None,
            hint=did_you_mean(str(name), known),
        )


def did_you_mean(name: str, choices: Iterable[str]) -> str | None:
    """Return ``"did you mean 'x'?"`` for the closest choices, or None where nothing is close.

    Examples
    --------
    >>> did_you_mean("recal", ["recall", "precision"])
    "did you mean 'recall'?"
    >>> did_you_mean("zzz", ["recall"]) is None
    True
    """
    close = difflib.get_close_matches(name, list(choices), n=3, cutoff=0.6)
    if not close:
        return None
    return "did you mean " + " or ".join(repr(one) for one in close) + "?"
