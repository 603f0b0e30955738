"""Checks on the first page: what is shown to be broken, then what there is evidence of."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.report.html.overview import told_rows


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """One is shown to be off, one may be, and two with a single image are farthest off."""
    who = {"bad": Habit.loose("right", px=9), "ann": [], "open": Habit.jitter(px=9)}
    who |= {"lone-1": Habit.loose("left", px=60), "lone-2": Habit.loose("left", px=70)}
    made = annqc.simulate(who, n_images=60, overlap=5, rng=4)
    work = made.work
    names = work.annotator_ids[work.table.annotator].astype(str)
    lone = np.char.startswith(names, "lone")
    kept = ~lone | (work.table.image == 0)
    audit = annqc.audit(replace(work, table=work.table.take(kept), assigned=None), made.gold)
    rule = {"id": "edges", "measure": "edge_offset", "by": ["annotator"]}
    judgement = audit.judge({"annqc": {"version": 1}, "rule": [rule]})
    index = audit.to_html(tmp_path_factory.mktemp("told") / "r", judgement=judgement)
    text = index.read_text(encoding="utf-8")
    return text[text.index('id="checks"') :].split("</section>")[0]


def test_nobody_with_a_single_image_leads_the_list(page):
    lines = re.findall(r"<li>(.*?)</li>", page)
    assert lines[0].startswith("fail: bad draws the right edge")
    assert not any("lone" in line for line in lines)
    assert "8 more groups with fewer than 5 images: too few to judge." in page
    assert page.index("fail: bad") < page.index("undecided: open")


def test_offsets_say_in_what_they_are_ranked(page):
    lines = re.findall(r"<li>(.*?)</li>", page)
    sizes = {}
    for line in lines:
        outcome, size = re.fullmatch(r"(\w+): .*; ([0-9.]+) tolerances", line).groups()
        sizes.setdefault(outcome, []).append(float(size))
    assert len(sizes) > 1
    assert all(one == sorted(one, reverse=True) for one in sizes.values())


@given(
    st.lists(
        st.tuples(st.sampled_from(["fail", "undecided", "pass"]), st.none() | st.integers(0, 9))
    )
)
def test_every_group_is_told_or_counted(groups):
    rows = [{"outcome": one, "text": str(k), "n_clusters": n} for k, (one, n) in enumerate(groups)]
    told, left = told_rows(rows)
    expected = [str(k) for k, (one, n) in enumerate(groups) if one == "fail" or n is None or n >= 5]
    assert [row["text"] for row in told] == expected
    assert left == len(groups) - len(expected)
