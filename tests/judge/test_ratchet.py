"""No worse than the baseline: outcomes, words, evidence, and where the baseline comes from."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.errors import AnnqcError
from annqc.judge import Tolerance, judge, load_spec
from annqc.judge.rules.ratchet import default_margin
from annqc.simulate import Habit
from tests.deliveries import deliveries, on_images

USUAL = [Habit.misses(0.03), Habit.extras(0.03), Habit.wrong_labels(0.03)]
BEFORE = dict.fromkeys(("ann", "bob", "cid", "dan", "eve", "fay"), USUAL)
AFTER = BEFORE | {
    "bob": [Habit.misses(0.2), *USUAL[1:]],
    "cid": [*USUAL, Habit.loose("right", px=3)],
    "dan": [USUAL[0], Habit.extras(0.2), USUAL[2]],
    "eve": [*USUAL[:2], Habit.wrong_labels(0.2)],
    "fay": [*USUAL, Habit.jitter(px=3)],
}
GUILTY = {
    "recall": "bob",
    "edge_offset": "cid",
    "precision": "dan",
    "label_accuracy": "eve",
    "mean_iou": "fay",
}


def spec(measure, **given):
    rule = {"id": "x", "measure": measure, "no_worse_than": "baseline", **given}
    return {"annqc": {"version": 1}, "rule": [rule]}


@pytest.fixture(scope="module")
def audits():
    gold, works = deliveries(BEFORE, BEFORE, AFTER, n_images=50, rng=2)
    return [annqc.audit(work, gold) for work in works]


def check(audit, earlier, measure, **given):
    return audit.judge(spec(measure, **given), baseline=earlier).checks[0]


@pytest.mark.parametrize("measure", [*GUILTY, "out_right", "shift", "growth"])
def test_an_unchanged_process_passes_and_says_what_could_hide(audits, measure):
    found = check(audits[1], audits[0], measure)
    assert found.outcome == "pass"
    assert "cannot be excluded" in found.sentence
    assert found.sentence.startswith("all ")


@pytest.mark.parametrize(("measure", "who"), GUILTY.items())
def test_who_got_worse_fails_and_nobody_else(audits, measure, who):
    found = check(audits[2], audits[0], measure)
    assert found.outcome == "fail"
    failed = {row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"}
    assert who in failed
    # A loose edge costs overlap as well.
    assert failed <= {who, "cid"}
    assert {one["annotator"] for one in found.evidence} == failed
    assert len(found.evidence) <= 10


def test_words_for_a_rate(audits):
    found = check(audits[2], audits[0], "recall")
    row = found.rows[0]
    low, high = -row["ci_high"], -row["ci_low"]
    assert found.sentence == (
        f"bob: recall fell by {-row['change']:.3f} ({low:.3f} to {high:.3f}, 50 images) from "
        f"{row['old']:.3f} to {row['new']:.3f}; asked: recall no more than 0.01 below the baseline"
    )
    assert row["p_adjusted"] == pytest.approx(6 * row["p_value"])
    lost = found.evidence[0]
    assert (lost["annotator"], lost["kind"], lost["annotation_id"]) == ("bob", "missed", None)
    better = check(audits[0], audits[2], "recall")
    assert better.outcome == "pass"
    text = next(row["text"] for row in better.rows if row["group"]["annotator"] == "bob")
    assert text.endswith("(better, 50 images)")


def test_no_loss_is_said_of_the_same_boxes_alone():
    gold, (old, new) = deliveries({"ann": []}, {"ann": []}, n_images=20, rng=3)
    audit, earlier = annqc.audit(new, gold), annqc.audit(old, gold)
    same = check(audit, annqc.audit(new, gold), "recall")
    assert "recall 1.000, before 1.000 (no loss, the boxes are the same, 20 images)" in (
        same.sentence
    )
    redrawn = check(audit, earlier, "recall")
    assert "(no change seen, a loss of up to 0.0" in redrawn.sentence
    assert redrawn.rows[0]["ci_low"] < -0.02


def test_who_starts_to_find_what_is_hard_to_draw_is_not_accused():
    gold, (old, new) = deliveries(
        {"ann": []}, {"ann": []}, n_images=60, boxes_per_image=5.0, noise_px=3.0, rng=2
    )
    sides = old.table.xyxy[:, 2:] - old.table.xyxy[:, :2]
    large = np.prod(sides, axis=1) > np.quantile(np.prod(sides, axis=1), 0.4)
    table = old.table.take(large)
    easy = annqc.audit(replace(old, table=table, n_rows=len(table)), gold)
    audit = annqc.audit(new, gold)
    assert check(audit, easy, "mean_iou").outcome == "pass"
    assert check(audit, easy, "label_accuracy").outcome == "pass"
    assert check(audit, easy, "recall").rows[0]["change"] > 0.3


def test_a_baseline_that_was_drawn_on_few_images_leaves_it_open():
    habits = {"ann": [Habit.extras(0.1)]}
    gold, (old, new) = deliveries(habits, habits, n_images=30, boxes_per_image=3.0, rng=2)
    table = old.table.take(old.table.image < 2)
    few = annqc.audit(replace(old, table=table, n_rows=len(table)), gold)
    found = check(annqc.audit(new, gold), few, "precision")
    assert found.outcome == "undecided"
    assert "2 images in common are too few to judge; 5 are needed" in found.sentence


def test_words_for_an_offset(audits):
    found = check(audits[2], audits[0], "edge_offset")
    assert found.sentence.startswith("cid draws the right edge ")
    row = found.rows[0]
    assert row["quantity"] == "out_right"
    told = [row[f"{name}_told"] for name in ("new", "old", "change", "ci_low", "ci_high")]
    assert told[0] == pytest.approx(3.0, abs=0.4)
    now, before, _, low, high = (f"{one:.1f}" for one in told)
    assert (
        f" {now} px too far out, before {before} px: {low} to {high} px worse (50 images)"
        in found.sentence
    )
    assert found.sentence.endswith(
        "asked: no more than max(0.25 px, 0.5 %) further off than in the baseline"
    )
    worst = found.evidence[0]
    assert (worst["annotator"], worst["kind"], worst["edge"]) == ("cid", "offset", "out_right")
    assert worst["offset_px"] > 3
    assert ", before " in worst["text"]
    growth = check(audits[2], audits[0], "growth")
    assert growth.outcome == "fail"
    assert "cid draws boxes 3.0 px wider" in growth.sentence or "too wide" in growth.sentence
    assert "no more than twice max(0.25 px, 0.5 %) further off" in growth.sentence


def test_a_relative_tolerance_is_told_in_percent(audits):
    audit = audits[2].with_parameters(tolerance="2 %")
    found = judge(audit, load_spec(spec("edge_offset")), baseline=lambda: audits[0]).checks[0]
    assert found.outcome == "fail"
    assert " % too far out, before " in found.sentence
    assert "no more than 0.5 % further off" in found.sentence


def test_margins(audits):
    assert check(audits[2], audits[0], "recall", margin=0.3).outcome == "pass"
    assert check(audits[2], audits[0], "recall", margin="30 %").outcome == "pass"
    assert check(audits[2], audits[0], "edge_offset", margin="5 px").outcome == "pass"
    assert check(audits[2], audits[0], "edge_offset", margin="1 px").outcome == "fail"
    assert default_margin("growth", Tolerance(px=4, rel=0)) == Tolerance(px=1, rel=0)
    assert default_margin("mean_iou", Tolerance()) == 0.01


def test_multiplicity_grows_with_the_groups(audits):
    whole = check(audits[2], audits[0], "recall")
    alone = check(audits[2], audits[0], "recall", where={"annotator": "bob"})
    assert [row["group"]["annotator"] for row in alone.rows] == ["bob"]
    assert alone.rows[0]["p_adjusted"] == pytest.approx(whole.rows[0]["p_adjusted"] / 6)


def test_few_images_in_common_leave_it_open():
    gold, (old, new) = deliveries({"ann": USUAL}, {"ann": Habit.misses(0.3)}, n_images=30, rng=4)
    earlier = annqc.audit(on_images(old, 4), gold)
    for measure in ("recall", "edge_offset"):
        found = check(annqc.audit(new, gold), earlier, measure)
        assert found.outcome == "undecided"
        assert "images in common are too few to judge; 5 are needed" in found.sentence
        assert "are new, or their gold has changed" in found.sentence


def test_nothing_in_common_is_an_error(audits):
    work = audits[0].work
    renamed = replace(work, annotator_ids=np.array(list("uvwxyz"), dtype=object))
    found = check(audits[2], annqc.audit(renamed, audits[0].gold), "recall")
    assert found.outcome == "error"
    said = "nothing can be compared with the baseline: "
    assert found.sentence.startswith(f"{said}the baseline has no work of any of these annotators")
    assert "--annqc-update-baseline" in found.sentence
    elsewhere = annqc.simulate(list(BEFORE), n_images=10, rng=9)
    table = replace(
        elsewhere.gold.image_table,
        id=np.arange(500, 510),
        file_name=np.array([f"other_{k}.jpg" for k in range(10)], dtype=object),
    )
    other = annqc.audit(
        replace(elsewhere.work, image_table=table), replace(elsewhere.gold, image_table=table)
    )
    for measure in ("recall", "precision", "edge_offset"):
        found = check(audits[2], other, measure)
        assert found.outcome == "error"
        assert found.sentence.startswith(
            f"{said}nobody was asked for the same images in the baseline"
        )


def test_the_baseline_that_the_spec_names_is_opened(audits, tmp_path):
    audits[0].save(tmp_path / "base.annqc")
    text = (
        '[annqc]\nversion = 1\nbaseline = "base.annqc"\n\n'
        '[[rule]]\nid = "recall"\nmeasure = "recall"\nno_worse_than = "baseline"\n'
    )
    (tmp_path / "boxes.annqc.toml").write_text(text)
    named = audits[2].judge(tmp_path / "boxes.annqc.toml").checks[0]
    given = check(audits[2], tmp_path / "base.annqc", "recall")
    direct = check(audits[2], audits[0], "recall")
    assert named.sentence == given.sentence == direct.sentence
    assert named.outcome == "fail"
    pickle.dumps(named)


def test_a_baseline_saved_anew_is_opened_anew(audits, tmp_path):
    folder = tmp_path / "base.annqc"
    audits[0].save(folder)
    assert check(audits[2], folder, "recall").outcome == "fail"
    audits[2].save(folder)
    assert check(audits[2], folder, "recall").outcome == "pass"


def test_without_a_baseline_those_rules_alone_are_errors(audits, tmp_path):
    rules = spec("recall")
    rules["rule"].append({"id": "y", "measure": "recall", "at_least": 0.5})
    for baseline, said in (
        (None, "there is no baseline yet: none is named"),
        (tmp_path / "base.annqc", f"there is no baseline yet\n  where: {tmp_path}"),
    ):
        made = audits[0].judge(rules, baseline=baseline)
        assert [one.outcome for one in made.checks] == ["error", "pass"]
        assert made.checks[0].sentence.startswith(said)
        assert "--annqc-update-baseline" in made.checks[0].sentence
        assert "--save" in made.checks[0].sentence


def test_a_damaged_baseline_says_what_and_where(audits, tmp_path):
    folder = tmp_path / "base.annqc"
    audits[0].save(folder)
    (folder / "candidate.npz").write_bytes(b"half")
    found = check(audits[2], folder, "recall")
    assert found.outcome == "error"
    assert found.sentence.startswith("the baseline cannot be opened: ")
    assert str(folder) in found.sentence
    assert f"--save {folder}" in found.sentence


def test_the_baseline_is_not_asked_for_where_no_rule_needs_it(audits):
    def never():
        what = "asked for"
        raise AnnqcError(what)

    plain = load_spec(
        {"annqc": {"version": 1}, "rule": [{"id": "y", "measure": "recall", "at_least": 0.5}]}
    )
    assert judge(audits[0], plain, baseline=never).outcome == "pass"


def test_strata_and_other_columns(audits):
    found = check(audits[2], audits[0], "recall", by=["annotator", "size"])
    assert found.outcome == "fail"
    failed = {row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"}
    assert failed == {"bob"}
    everybody = check(audits[2], audits[0], "precision", by=["candidate_category"])
    assert {row["group"]["candidate_category"] for row in everybody.rows} <= set(
        audits[0].matches.category_names
    )


@pytest.mark.parametrize("measure", ["edge_offset", "recall"])
def test_rules_with_the_same_question_are_answered_once(audits, measure, monkeypatch):
    from annqc.run import baseline

    asked = []
    for name in ("bias_changes", "rate_changes"):
        real = getattr(baseline, name)
        monkeypatch.setattr(
            baseline, name, lambda *a, real=real, **k: asked.append(a) or real(*a, **k)
        )
    fresh = annqc.audit(audits[1].work, audits[1].gold)
    rules = spec(measure)
    rules["rule"] += [{**rules["rule"][0], "id": f"y{k}"} for k in range(5)]
    assert fresh.judge(rules, baseline=audits[0]).outcome == "pass"
    assert len(asked) == 1


def test_of_several_datasets_none_is_the_baseline(audits, tmp_path):
    audits[0].save(tmp_path / "base.annqc")
    rule = '[[rule]]\nid = "recall"\nmeasure = "recall"\nno_worse_than = "baseline"\n'
    head = '[annqc]\nversion = 1\ngold = "gold.json"\nbaseline = "base.annqc"\n'
    one = tmp_path / "one.annqc.toml"
    one.write_text(f'{head}candidate = "work.json"\n\n{rule}')
    assert audits[2].judge(one).outcome == "fail"
    two = tmp_path / "two.annqc.toml"
    datasets = "".join(
        f'[[dataset]]\nname = "{name}"\ncandidate = "{name}.json"\nbaseline = "{name}.annqc"\n\n'
        for name in ("a", "b")
    )
    two.write_text(f'[annqc]\nversion = 1\ngold = "gold.json"\n\n{datasets}{rule}')
    made = audits[2].judge(two)
    assert made.outcome == "error"
    assert "there is no baseline yet: none is named" in made.checks[0].sentence
    assert audits[2].judge(two, baseline=tmp_path / "base.annqc").outcome == "fail"
