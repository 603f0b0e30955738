"""Variables in specs: ``${NAME}``, ``${NAME:-default}``, and what is not one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import SpecError
from annqc.judge import load_spec
from annqc.judge.variables import conceal, expand

SET = {"A": "one", "B_2": "two", "EMPTY": "", "NEST": "${A}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "one"),
        ("x${A}y${B_2}z", "xoneytwoz"),
        ("${A:-other}", "one"),
        ("${NONE:-other}", "other"),
        ("${NONE:-}", ""),
        ("${EMPTY:-other}", "other"),
        ("<${EMPTY}>", "<>"),
        ("$A $ $$ {A} $${A} $$A", "$A $ $$ {A} ${A} $$A"),
        ("$$${A}", "$${A}"),
        ("${NEST}", "${A}"),
        ("${NONE:-a:-b c/d}", "a:-b c/d"),
    ],
)
def test_texts(text, expanded):
    assert expand(text, SET) == expanded


@pytest.mark.parametrize(
    "text", ["${}", "${1A}", "${A", "${A-b}", "${A B}", "${A:-${B_2}}", "${:-x}", "${A:b}", "${Ä}"]
)
def test_texts_that_cannot_be_read(text):
    with pytest.raises(SpecError, match="cannot read the variable") as caught:
        expand(text, SET)
    assert caught.value.found == repr(text)
    assert caught.value.expected == "${NAME} or ${NAME:-default}"
    assert caught.value.hint == "for a plain ${ write $${"


def oracle(text: str, environ: dict[str, str]) -> str:
    """Walk the text once, by hand."""
    out, at = "", 0
    while at < len(text):
        if text.startswith("$${", at):
            out, at = out + "${", at + 3
        elif text.startswith("${", at):
            end = text.index("}", at)
            name, colon, default = text[at + 2 : end].partition(":-")
            out += (environ.get(name) or default) if colon else environ[name]
            at = end + 1
        else:
            out, at = out + text[at], at + 1
    return out


PIECES = st.sampled_from(["$", "$$", "{", "a", "${A}", "${A:-x}", "${NONE:-y z}", "$${", "}", " "])


@given(st.lists(PIECES, max_size=8))
def test_pieces_are_expanded_as_by_hand(pieces):
    text = "".join(pieces)
    try:
        expanded = expand(text, SET)
    except SpecError:
        # Pieces may join to something that is no variable, such as "${" and "a".
        assert re.search(r"(?<!\$)\$\{(?!A\}|A:-x\}|NONE:-y z\})", text) or "$$${" in text
        return
    assert expanded == oracle(text, SET)


@given(st.text(), st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_anything_is_expanded_or_refused(text, environ):
    try:
        expanded = expand(text, environ)
    except SpecError:
        assert "${" in text
    else:
        assert "${" in text or expanded == text


SPEC = """\
[annqc]
version = 1
gold = "${GOLD}"
candidate = ["${ROOT:-vendor}/*.json", "${ROOT:-vendor}/more"]

[[rule]]
id = "r"
measure = "recall"
at_least = "${LEAST:-95 %}"
where = { category = ["${WHO}", 3] }
"""


def test_a_spec_takes_its_variables_from_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "x.annqc.toml"
    path.write_text(SPEC, encoding="utf-8")
    spec = load_spec(path, environ={"GOLD": "../gold.json", "WHO": "person", "ROOT": "/data"})
    assert spec.gold == [str(tmp_path / "../gold.json")]
    assert spec.candidate == ["/data/*.json", "/data/more"]
    assert spec.rules[0].at_least == 0.95
    assert spec.rules[0].where == {"category": ("person", 3)}
    monkeypatch.setenv("GOLD", "g.json")
    monkeypatch.setenv("WHO", "dog")
    monkeypatch.setenv("LEAST", "0.5")
    spec = load_spec(path)
    assert spec.gold == [str(tmp_path / "g.json")]
    assert spec.rules[0].at_least == 0.5


def test_missing_variables_are_faults_with_their_lines():
    with pytest.raises(SpecError) as caught:
        load_spec(SPEC.replace("${ROOT:-vendor}/more", "${A}-${B}-${A}"), environ={})
    assert str(caught.value).splitlines() == [
        "<spec>: the spec has 3 faults",
        (
            "  line 3, [annqc], gold: the variable GOLD is not set; "
            "set it, or give a default: ${GOLD:-...}"
        ),
        (
            "  line 4, [annqc], candidate: the variables A and B are not set; "
            "set them, or give a default: ${A:-...}"
        ),
        (
            "  line 10, rule 'r', where: the variable WHO is not set; "
            "set it, or give a default: ${WHO:-...}"
        ),
    ]


def test_no_variable_adds_to_the_spec():
    evil = 'g"\nundecided = "pass"\n[[rule]]\nid = "z'
    spec = load_spec(SPEC, environ={"GOLD": evil, "WHO": "x"})
    assert spec.annqc.gold == (evil,)
    assert spec.annqc.undecided is None
    assert len(spec.rules) == 1


def test_mappings_have_variables_too():
    spec = load_spec(
        {
            "annqc": {"version": 1, "gold": "${G}", "candidate": "w"},
            "rule": [{"id": "${ID}", "measure": "recall", "at_least": 1}],
        },
        environ={"G": "g", "ID": "found"},
    )
    assert spec.gold == ["g"]
    assert spec.rules[0].id == "found"


def test_keys_are_left_alone():
    with pytest.raises(SpecError, match=r"there is no field '\$\{A\}'"):
        load_spec('[annqc]\nversion = 1\n"${A}" = 1\n', environ={"A": "gold"})


def test_the_values_of_other_variables_are_never_told():
    with pytest.raises(SpecError) as caught:
        load_spec(SPEC, environ={"GOLDEN_TOKEN": "s3cret", "WHO": "x"})
    assert "GOLDEN_TOKEN" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("measure", "${TOKEN}", "'${TOKEN}'"),
        ("at_least", "${TOKEN}", "'${TOKEN}'"),
        ("id", "Id ${TOKEN}", "'Id ${TOKEN}'"),
        ("by", "a, ${TOKEN}, ${TOKEN}", "'${TOKEN}' is named more than once"),
        ("kind", ["${TOKEN}"], "knows no kind '${TOKEN}'"),
    ],
)
def test_a_fault_names_the_variable_and_not_its_value(field, value, told):
    rule = {"id": "r", "measure": "error_rate", "kind": "missed", "at_most": 1}
    spec = {"annqc": {"version": 1}, "rule": [rule | {field: value}]}
    with pytest.raises(SpecError) as caught:
        load_spec(spec, environ={"TOKEN": "hunter2"})
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_is_concealed_is_the_value_alone():
    environ = {"A": "a", "LIST": "one,three"}
    assert conceal("a bad name: 'a'", "${A}", environ) == "${A} bad name: '${A}'"
    assert conceal("found 'three'", "x ${LIST}", environ) == "found '${LIST}'"
    assert conceal("found 'three'", "x $${LIST}", environ) == "found 'three'"
    assert conceal("found 'three'", 3, environ) == "found 'three'"
