"""judge: variables in the texts of a spec, ``${NAME}`` and ``${NAME:-default}``.

Only values are expanded, after the TOML was read, so that no variable can add a table or a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from annqc.errors import SpecError

__all__ = ["conceal", "expand"]

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
SHORT: Final = 4
_BODY: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def expand(value: Any, environ: Mapping[str, str]) -> Any:
    """Put the values of variables into a text, or into every text of a list or a table.

    Parameters
    ----------
    value : object
        What TOML gave.
    environ : mapping of str to str
        The variables. One that is empty counts as missing where there is a default, as in a shell.

    Returns
    -------
    object
        The same with every ``${NAME}`` replaced; ``$${`` is a plain ``${``.

    Raises
    ------
    SpecError
        Where a variable is missing, or the text cannot be read.

    Examples
    --------
    >>> expand(["${GOLD}", "${MORE:-more.json}"], {"GOLD": "gold.json"})
    ['gold.json', 'more.json']
    >>> expand("$${GOLD} costs $5", {})
    '${GOLD} costs $5'
    """
    if isinstance(value, str):
        return _expand_text(value, environ) if "${" in value else value
    if isinstance(value, list):
        return [expand(one, environ) for one in value]
    if isinstance(value, Mapping):
        return {name: expand(one, environ) for name, one in value.items()}
    return value


def _expand_text(text: str, environ: Mapping[str, str]) -> str:
    missing: list[str] = []

    def replaced(found: re.Match[str]) -> str:
        if found.group() == "$${":
            return "${"
        body = None if found.group(1) is None else _BODY.fullmatch(found.group(1))
        if body is None:
            what = "cannot read the variable"
            expected = "${NAME} or ${NAME:-default}"
            hint = "for a plain ${ write $${"
            raise SpecError(what, expected=expected, found=repr(text), hint=hint)
        name, default = body.groups()
        if default is not None:
            return environ.get(name) or str(default)
        if name not in environ:
            missing.append(name)
        return environ.get(name, "")

    expanded = _REFERENCE.sub(replaced, text)
    if missing:
        raise _missing(missing)
    return expanded


def conceal(text: str, value: Any, environ: Mapping[str, str]) -> str:
    """Put the names of variables back into a message about a value: what they hold may be secret.

    Parameters
    ----------
    text : str
        The message.
    value : object
        What TOML gave, as for `expand`.
    environ : mapping of str to str
        The variables.

    Examples
    --------
    >>> conceal("found 'hunter2'", "${TOKEN}", {"TOKEN": "hunter2"})
    "found '${TOKEN}'"
    """
    held: dict[str, str] = {}
    for name in _names(value):
        whole = environ.get(name, "")
        # A list in one text is told element by element, so each of them is put back too.
        for part in (whole, whole.strip(), *map(str.strip, whole.split(","))):
            if part:
                held.setdefault(part, name)
                held.setdefault(repr(part)[1:-1], name)
    if not held:
        return text
    longest = sorted(held, key=len, reverse=True)
    return re.sub("|".join(map(_wanted, longest)), lambda at: f"${{{held[at[0]]}}}", text)


def _wanted(part: str) -> str:
    """Return the pattern of a text; what is very short counts only where it stands alone."""
    pattern = re.escape(part)
    return pattern if len(part) >= SHORT else rf"(?<!\w){pattern}(?!\w)"


def _names(value: Any) -> list[str]:
    """List the variables that a value refers to."""
    if isinstance(value, str):
        bodies = (_BODY.fullmatch(found[1]) for found in _REFERENCE.finditer(value) if found[1])
        return [body[1] for body in bodies if body is not None]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [name for one in value for name in _names(one)] if isinstance(value, list) else []


def _missing(names: list[str]) -> SpecError:
    """Name the variables that are not set. Those that are stay unnamed: they may be secrets."""
    names = list(dict.fromkeys(names))
    listed = " and ".join(names)
    what, them = f"the variable {listed} is not set", "set it"
    if len(names) > 1:
        what, them = f"the variables {listed} are not set", "set them"
    return SpecError(what, hint=f"{them}, or give a default: ${{{names[0]}:-...}}")
