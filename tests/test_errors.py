"""Errors say what, where, expected, found and what to do, and can always be shown."""

import pickle

import pytest

from annqc import errors
from annqc.errors import AnnqcError, ReadError, UnknownNameError, did_you_mean


def test_the_parts_stand_on_lines_of_their_own():
    error = AnnqcError("no", where="a.json", expected="this", found="that", hint="do")
    assert str(error).splitlines() == [
        "no",
        "  where: a.json",
        "  expected: this",
        "  found: that",
        "  to do: do",
    ]
    assert str(AnnqcError("no")) == "no"


def test_a_name_that_is_no_text_can_be_printed(capsys):
    print(ReadError("no such file", where="caf\udce9.json"))
    assert "caf\\udce9.json" in capsys.readouterr().out


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error")])
def test_errors_survive_a_process_boundary(name):
    error = getattr(errors, name)("what", where="w", expected="e", found="f", hint="h")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_unknown_names_suggest_the_closest():
    error = UnknownNameError.among("rule", "recal", ["precision", "recall"])
    assert error.hint == "did you mean 'recall'?"
    assert "precision, recall" in str(error)
    assert did_you_mean("zzz", ["recall"]) is None
