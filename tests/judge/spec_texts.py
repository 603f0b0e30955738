"""Random specs: what they say in TOML, and the rules that they must come to."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from annqc.judge import Rule, Tolerance, measures

NAMES = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True)
TEXTS = st.text(min_size=1, max_size=8).filter(lambda text: text.strip())


def toml(value) -> str:
    """A value in TOML; a plain ``${`` must not be taken for a variable."""
    if isinstance(value, str):
        text = json.dumps(value.replace("${", "$${"), ensure_ascii=False)
        return text.replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{toml(name)} = {toml(one)}" for name, one in value.items())
        return f"{{ {pairs} }}"
    return repr(value)


def text_of(header: dict, rules: list[dict]) -> str:
    lines = ["[annqc]", *(f"{name} = {toml(one)}" for name, one in header.items())]
    for rule in rules:
        lines += ["", "[[rule]]", *(f"{name} = {toml(one)}" for name, one in rule.items())]
    return "\n".join(lines) + "\n"


def tolerances():
    """Texts of tolerances, and what they mean."""
    number = st.integers(1, 400).map(lambda n: n / 8)
    px = number.map(lambda n: (f"{n} px", Tolerance(px=n, rel=0.0)))
    rel = number.map(lambda n: (f"{n}%", Tolerance(px=0.0, rel=n / 100)))
    both = st.tuples(number, number).map(
        lambda pair: (
            f"max({pair[0]} px, {pair[1]} %)",
            Tolerance(px=pair[0], rel=pair[1] / 100),
        )
    )
    return px | rel | both


def limits(measure):
    """Limits as written, and as meant."""
    if measure.limit_range[1] == 1:
        share = st.integers(0, 1000).map(lambda n: n / 1000)
        percent = st.integers(0, 100).map(lambda n: (f"{n} %", float(f"{n / 100:.2f}")))
        return share.map(lambda one: (one, one)) | percent
    return st.integers(0, 50).map(lambda n: (n, float(n)))


@st.composite
def rules(draw, id: str = "r"):
    """Fields of a rule as TOML has them, and the arguments of the `Rule`."""
    measure = draw(st.sampled_from(list(measures().values())))
    given, meant = {"id": id, "measure": measure.name}, {"id": id, "measure": measure.name}

    def add(name, written, value):
        given[name], meant[name] = written, value

    def chance(name):
        return name in measure.takes and draw(st.booleans())

    compared = chance("no_worse_than")
    if compared:
        add("no_worse_than", "baseline", "baseline")
        if draw(st.booleans()):
            if "tolerance" in measure.takes:
                add("margin", *draw(tolerances()))
            else:
                share = draw(st.integers(0, 100)) / 100
                add("margin", share, share)
    elif measure.limits:
        name = draw(st.sampled_from(measure.limits))
        add(name, *draw(limits(measure)))
    elif chance("tolerance"):
        add("tolerance", *draw(tolerances()))
    if not compared and chance("sequential"):
        value = draw(st.booleans())
        add("sequential", value, value)
    if chance("by"):
        columns = draw(st.lists(NAMES, unique=True, max_size=3))
        add("by", columns, tuple(columns))
    if chance("where"):
        scalars = st.one_of(TEXTS, st.integers(0, 9), st.booleans())
        table = draw(st.dictionaries(NAMES, st.lists(scalars, max_size=3), max_size=2))
        add("where", table, {name: tuple(values) for name, values in table.items()})
    if chance("confidence"):
        level = draw(st.integers(501, 999)) / 1000
        add("confidence", level, level)
    if "kind" in measure.takes:
        known = st.sampled_from(measure.kinds) if measure.kinds else NAMES
        kinds = draw(st.lists(known, unique=True, min_size=1, max_size=3))
        add("kind", kinds, tuple(kinds))
    if chance("categories"):
        names = draw(st.lists(TEXTS, unique=True, max_size=3))
        add("categories", names, tuple(names))
    if draw(st.booleans()):
        why = draw(TEXTS)
        add("why", why, why)
    return given, meant


def rule_of(meant: dict) -> Rule:
    """The rule that these fields are; columns to group by the measure knows if nobody says."""
    return Rule(**{"by": measures()[meant["measure"]].by, **meant})
