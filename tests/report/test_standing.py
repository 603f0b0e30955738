"""Who is off, fine or open, and what would settle it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.measure.tolerance import Tolerance
from annqc.report.standing import settle_text, standings
from annqc.report.view import View, view_of


def view(
    verdict,
    status="ok",
    n_more=np.nan,
    n_clusters=20,
    excess=0.5,
    clusters="image",
    flags="",
    accused=None,
):
    """One group; arguments are for all eight quantities, or one each."""

    def row(value, dtype=object):
        return np.array(np.broadcast_to(np.array(value, dtype=dtype), (1, 8)))

    return View(
        by=("annotator",),
        columns={
            "verdict": row(verdict),
            "status": row(status),
            "n_more": row(n_more, float),
            "n_clusters": row(n_clusters, int),
            "excess": row(excess, float),
            "flags": row(flags),
        },
        keys={"annotator": np.array(["bob"], dtype=object)},
        tolerance=Tolerance(),
        clusters=clusters,
        accused=None if accused is None else np.array([accused]),
    )


OPEN = ["clean", "undecided", "clean", "clean", *["clean"] * 4]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (view("clean"), "clean"),
        (view([*["clean"] * 4, *["undecided"] * 4]), "clean"),
        (view([*["clean"] * 6, "biased", "clean"]), "biased"),
        (view(["biased", *["undecided"] * 7]), "biased"),
        (view(["collective", *["clean"] * 7]), "collective"),
        (view(["collective", "undecided", *["clean"] * 6], n_more=3), "undecided"),
        (view(OPEN, n_more=3), "undecided"),
        (view("undecided", status="too_few_clusters", n_clusters=3), "too_few"),
        (view("undecided", status="no_data", n_clusters=0), "too_few"),
        (view("clean", accused=True), "biased"),
        (view("clean", accused=False), "clean"),
        (view("undecided", status=["ok", *["too_few_clusters"] * 7], n_more=4), "undecided"),
    ],
)
def test_places(given, place):
    (one,) = standings(given)
    assert one.place == place


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (view(OPEN, n_more=12), "about 12 more images would settle it (top edge)"),
        (view(OPEN, n_more=1), "about 1 more image would settle it (top edge)"),
        (
            view(OPEN, n_more=1200, clusters="image or track"),
            "about 1,200 more images or tracks would settle it (top edge)",
        ),
        (view("undecided", n_more=5), "about 5 more images would settle it (all edges)"),
        (
            view(["undecided", "clean", "undecided", *["clean"] * 5], n_more=[3, *[8] * 7]),
            "about 8 more images would settle it (left and right edges)",
        ),
        (
            view(OPEN, excess=-0.98),
            "no reasonable number of images would: the top edge sits on the tolerance",
        ),
        (
            view(OPEN, excess=0.4),
            "no reasonable number of images would, as much as the top edge varies",
        ),
        (
            view(OPEN, status="weighs_reference"),
            "it agrees with the gold where the others do not (top edge)",
        ),
        (
            view("undecided", status="too_few_clusters", n_clusters=3),
            "too few to judge (3 images with a usable pair; 5 are needed)",
        ),
        (
            view("undecided", status="too_few_clusters", n_clusters=7),
            "too few to judge (7 images with a usable pair; of very uneven weight)",
        ),
        (
            view("undecided", status="one_cluster", n_clusters=1),
            "too few to judge (1 image with a usable pair; 5 are needed)",
        ),
    ],
)
def test_what_would_settle_it(given, text):
    (one,) = standings(given)
    assert settle_text(given, one) == text


def test_the_number_of_images_is_that_of_the_slowest_edge(few):
    given = view_of(few)
    for one in standings(given):
        open_ = one.open_edges
        more = given.columns["n_more"][one.group, list(open_)]
        assert one.n_more == np.nanmax(more)


def test_a_clean_annotator_is_clean_and_a_loose_one_is_not(mixed):
    given = view_of(mixed)
    names = given.keys["annotator"]
    places = {names[one.group]: one.place for one in standings(given)}
    expected = dict.fromkeys(("ben", "cat", "dan"), "biased") | dict.fromkeys(
        ("ann", "eve"), "clean"
    )
    assert places == expected


def test_fewer_than_five_images_are_too_few():
    made = annqc.simulate(["ann"], n_images=4, rng=1)
    given = view_of(annqc.audit(made.work, made.gold))
    (one,) = standings(given)
    assert settle_text(given, one) == (
        "too few to judge (4 images with a usable pair; 5 are needed)"
    )
    assert one.n_more == 1


@pytest.fixture(scope="module")
def in_part():
    """Somebody whose pooled edges are clean, and who is off on dogs."""
    made = annqc.simulate(
        {
            "ann": [],
            "cat": Habit.loose("top", px=9).only(category="dog"),
            "eve": Habit.misses(0.6),
        },
        n_images=150,
        rng=1,
    )
    return annqc.audit(made.work, made.gold, by=("annotator", "category"))


def test_one_who_is_off_on_a_part_is_biased_everywhere_that_is_said(in_part):
    by = in_part.by
    whole = view_of(in_part, by, whole=True)
    row = whole.keys["annotator"].tolist().index("cat")
    assert not whole.biased[row].any()
    assert (whole.columns["verdict"][row, :4] == "clean").all()
    assert standings(whole)[row].place == "biased"
    verdicts = in_part.score_columns(strata=by)["verdict"].tolist()
    document = json.loads(in_part.to_json())
    assert [one["standing"] for one in document["annotators"]] == verdicts
    assert verdicts[row] == "biased"
    (text,) = document["annotators"][row]["text"]
    assert text.startswith("cat draws the top edge ")
    assert text.endswith(" on dog")
    screen = in_part.summary(width=110)
    assert "Biased  1 of 3 annotators" in screen
    assert screen.count("cat draws the top edge") == 1
    assert "cat: top edge, in 1 of the 5 categories that could be judged (dog)" in screen


def test_clean_on_too_few_objects_is_not_plain_clean(in_part):
    document = json.loads(in_part.to_json())
    ann, _, eve = document["annotators"]
    assert (ann["standing"], ann["sensitive"], ann["text"]) == ("clean", False, [])
    assert (eve["standing"], eve["sensitive"]) == ("clean", True)
    assert eve["text"] == ["too few of the objects were measured to be sure"]
    flat = " ".join(in_part.summary().split())
    said = "2 shown to be clean on all four edges (1 of them on too few of their objects to be sure"
    assert f"{said} *)" in flat
    assert "* too few of the objects were measured to be sure (eve)" in flat


def test_only_the_edges_make_a_standing_sensitive():
    flags = [*[""] * 4, *["SELECTION_SENSITIVE"] * 4]
    assert not standings(view("clean", flags=flags))[0].sensitive
    assert standings(view("clean", flags=flags[::-1]))[0].sensitive


def test_standings_agree_with_the_verdicts_of_the_scores(fleet, mixed, few):
    for audit in (fleet, mixed, few):
        verdicts = audit.score_columns()["verdict"].tolist()
        places = [one.place.replace("too_few", "undecided") for one in standings(view_of(audit))]
        assert places == verdicts
