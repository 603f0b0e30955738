"""Comparisons that would say nothing are refused, with the reason."""

from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import MatchError
from annqc.run.audit import Run
from annqc.simulate import simulate
from annqc.tables import Problem


def sides():
    made = simulate(["ann", "bob", "cid"], n_images=6, rng=0)
    return made.gold, made.work


def nothing(data):
    return replace(data, table=data.table.take(np.zeros(len(data.table), dtype=bool)))


def test_everybody_drew_their_own_gold():
    gold, work = sides()
    gold = replace(
        gold,
        table=replace(gold.table, annotator=gold.table.image % 2),
        annotator_ids=np.array(["ann", "bob"], dtype=object),
        authors_known=True,
    )
    own = work.table.annotator == work.table.image % 2
    work = replace(work, table=work.table.take(own), assigned=None, authors_known=True)
    with pytest.raises(MatchError, match="drew the gold of their own images"):
        _ = Run(gold, work).matches


@pytest.mark.parametrize("side", ["gold", "work"])
def test_a_side_without_a_usable_row_says_what_happened(side):
    gold, work = sides()
    issue = Problem(
        kind="malformed", severity="dropped", source="w.csv", where="line 2", message="no number"
    )
    empty = replace(nothing(gold if side == "gold" else work), issues=(issue,) * 3)
    gold, work = (empty, work) if side == "gold" else (gold, empty)
    with pytest.raises(MatchError, match=f"none of the 3 rows of the {side}") as refusal:
        _ = Run(gold, work).matches
    assert refusal.value.found == "3 malformed"


def test_nothing_drawn_and_nobody_asked():
    gold, work = sides()
    with pytest.raises(MatchError, match="nothing to compare"):
        _ = Run(gold, replace(nothing(work), assigned=None)).matches
