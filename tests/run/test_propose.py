"""What is proposed for data: the profile, and limits that so much gold can settle."""

from __future__ import annotations

import json

import pytest

import annqc
from annqc import Habit
from annqc.judge import load_spec
from annqc.judge.describe import objects_needed
from annqc.run.propose import Sources, choose_profile, propose
from annqc.run.seen import look, look_at_work
from annqc.write import write_coco

SOURCES = Sources(candidate=("w.json",), gold=("g.json",))


def proposed(annotators, **scene):
    made = annqc.simulate(annotators, rng=1, **scene)
    audit = annqc.audit(made.work, made.gold)
    text = propose(audit, SOURCES)
    return text, audit.judge(text)


def test_with_enough_gold_the_profile_stands():
    text, judgement = proposed({"ann": [], "ben": []}, n_images=120, categories=["a", "b"])
    spec = load_spec(text)
    assert spec.annqc.extends == "boxes"
    assert {rule.id: rule.at_least for rule in spec.rules if rule.at_least is not None} == {
        "recall": 0.95,
        "precision": 0.95,
        "label-accuracy": 0.95,
        "mean-iou": 0.75,
        "recall-by-category": 0.85,
    }
    assert judgement.outcome == "pass"


def test_with_little_gold_limits_are_within_reach():
    scene = {"n_images": 7, "categories": ["a"], "noise_rel": 0.05}
    text, judgement = proposed({"ann": [], "ben": []}, **scene)
    spec = load_spec(text)
    rules = {rule.id: rule for rule in spec.rules}
    made = annqc.simulate({"ann": [], "ben": []}, rng=1, **scene)
    n = len(made.gold)
    limit = rules["recall"].at_least
    assert limit < 0.95
    assert objects_needed(limit, 1) <= n < objects_needed(0.95, 1)
    assert "label-accuracy" not in rules
    tolerance = rules["no-edge-bias"].tolerance
    assert tolerance.px > 1
    assert tolerance.rel > 0.02
    outcomes = {check.id: check.outcome for check in judgement.checks}
    assert outcomes["recall"] == outcomes["precision"] == "pass"


def test_where_nobody_has_enough_the_whole_is_asked_as_the_profile_asks():
    many = {f"w{k:02d}": [] for k in range(30)}
    text, judgement = proposed(many, n_images=60, overlap=3, categories=["a"])
    rules = {rule.id: rule for rule in load_spec(text).rules}
    assert rules["recall"].at_least < 0.95
    assert (rules["recall-of-all"].at_least, rules["recall-of-all"].by) == (0.95, ())
    assert {one.id: one.outcome for one in judgement.checks}["recall-of-all"] == "pass"
    assert "as a whole. Today: 1.00." in text.replace("\n# ", " ")

    poor, judgement = proposed(
        {name: annqc.Habit.misses(0.4) for name in many}, n_images=60, overlap=3, categories=["a"]
    )
    assert {one.id: one.outcome for one in judgement.checks}["recall-of-all"] == "fail"
    assert "so this work fails" in poor.replace("\n# ", " ")


def test_rare_categories_get_no_rule():
    text, _ = proposed(["ann"], n_images=100, categories={"x": 30, "y": 20, "rare": 1})
    rule = next(one for one in load_spec(text).rules if one.id == "recall-by-category")
    assert rule.where == {"category": ("x", "y")}
    assert "1 category with fewer" in text.replace("\n# ", " ")


def test_limits_are_not_fitted_to_the_work():
    text, judgement = proposed({"eve": [Habit.misses(0.4)]}, n_images=100, categories=["a"])
    rules = {rule.id: rule for rule in load_spec(text).rules}
    assert rules["recall"].at_least == 0.95
    assert {check.id: check.outcome for check in judgement.checks}["recall"] == "fail"


def test_names_of_every_kind_survive_the_toml():
    names = ['say "hi"', "back\\slash", "tab\there", "${HOME}", "naïve", "null\x00", "x"]
    made = annqc.simulate(["ann"], rng=1, n_images=150, categories=names)
    audit = annqc.audit(made.work, made.gold)
    work = ('w "${X}" \\.json',)
    spec = load_spec(propose(audit, Sources(candidate=work, gold=("g.json",), annotator="=b\n")))
    assert (spec.annqc.candidate, spec.annqc.annotator) == (work, "=b\n")
    assert audit.judge(spec).counts["error"] == 0
    few = propose(
        annqc.audit(*_named(names)), Sources(candidate=work, gold=("g.json",), annotator=None)
    )
    rule = next(one for one in load_spec(few).rules if one.id == "recall-by-category")
    assert set(rule.where["category"]) < set(names)


def _named(names):
    weights = {name: 0.02 if name == "x" else 1.0 for name in names}
    made = annqc.simulate(["ann"], rng=1, n_images=120, categories=weights)
    return made.work, made.gold


@pytest.mark.parametrize(
    ("scene", "profile"),
    [
        ({"categories": ["car", "person", "bus", "truck"]}, "street-scenes"),
        ({"categories": ["lung_nodule"]}, "medical"),
        ({"categories": ["ship", "plane"]}, "aerial"),
        ({"categories": ["a"], "box_side": 15, "image_size": (2000, 2000)}, "aerial"),
        ({"categories": ["product"], "boxes_per_image": 40}, "retail"),
        ({"categories": ["product"]}, "boxes"),
    ],
)
def test_the_profile_fits_the_data(scene, profile):
    made = annqc.simulate(["ann"], rng=1, n_images=20, **scene)
    chosen, why = choose_profile(look(annqc.audit(made.work, made.gold)))
    assert chosen == profile
    assert why


@pytest.mark.parametrize("side", ["gold", "work"])
def test_sides_without_a_box_have_a_proposal_too(side, tmp_path):
    made = annqc.simulate(["ann"], rng=1, n_images=6, categories=["a"])
    write_coco(getattr(made, side), tmp_path / "empty.json")
    document = json.loads((tmp_path / "empty.json").read_text(encoding="utf-8"))
    document["annotations"] = []
    (tmp_path / "empty.json").write_text(json.dumps(document), encoding="utf-8")
    empty = annqc.read(tmp_path / "empty.json")
    audit = annqc.audit(*((made.work, empty) if side == "gold" else (empty, made.gold)))
    text = propose(audit, SOURCES)
    assert "nan" not in text
    assert audit.judge(text).counts["error"] == 0
    alone = propose(empty, Sources(candidate=("w.json",), gold=()))
    assert "There is no box to look at" in alone
    assert load_spec(alone).is_profile


def test_every_proposal_loads_whatever_the_profile(tmp_path):
    for categories in (["car", "bus", "truck"], ["lesion"], ["ship", "plane"]):
        for n_images in (1, 3, 60):
            text, judgement = proposed(["ann"], n_images=n_images, categories=categories)
            assert judgement.counts["error"] == 0, text


def test_tracks_and_scores_speak_for_their_profiles(tmp_path):
    made = annqc.simulate(["model"], rng=1, n_images=20, categories=["a"])
    write_coco(made.gold, tmp_path / "gold.json")
    document = json.loads((tmp_path / "gold.json").read_text(encoding="utf-8"))
    for k, row in enumerate(document["annotations"]):
        row["track_id"] = k % 7
    (tmp_path / "tracked.json").write_text(json.dumps(document), encoding="utf-8")
    tracked = annqc.read(tmp_path / "tracked.json")
    seen = look(annqc.audit(made.work, tracked))
    assert choose_profile(seen)[0] == "video-tracks"
    rows = [
        {"image_id": row["image_id"], "category_id": 1, "bbox": row["bbox"], "score": 0.9}
        for row in document["annotations"]
    ]
    (tmp_path / "model.json").write_text(json.dumps(rows), encoding="utf-8")
    gold = annqc.read(tmp_path / "gold.json")
    seen = look(annqc.audit(annqc.read(tmp_path / "model.json"), gold))
    assert choose_profile(seen)[0] == "coco"


def test_what_is_seen_is_what_was_simulated():
    made = annqc.simulate(
        {"ann": [], "eve": Habit.misses(0.5)},
        n_images=200,
        rng=1,
        noise_px=2.0,
        noise_rel=0.0,
        box_side=80,
        categories=["a", "b"],
    )
    seen = look(annqc.audit(made.work, made.gold))
    assert (seen.n_images, seen.n_annotators, seen.categories) == (200, 2, ("a", "b"))
    assert (seen.n_gold, seen.n_work) == (len(made.gold), len(made.work))
    assert seen.scatter_px == pytest.approx(2.0, rel=0.05)
    assert seen.side.median == pytest.approx(80, rel=0.1)
    assert seen.image_sides == (1920.0, 1080.0)
    assert seen.rates["recall"].low == pytest.approx(0.5, abs=0.05)
    assert seen.rates["recall"].high == pytest.approx(1.0, abs=0.01)
    assert sum(seen.category_objects.values()) == 2 * len(made.gold)
    alone = look_at_work(made.work)
    assert (alone.n_gold, alone.n_work, alone.n_annotators) == (0, len(made.work), 2)
    assert alone.categories == ("a", "b")
