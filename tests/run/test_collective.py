"""A gold that is off accuses nobody: simulated from files to verdicts."""

from dataclasses import replace

import numpy as np
import pytest

from annqc.run.audit import Run
from annqc.simulate import Habit, simulate


def with_tight_gold(made, px, sd=0.0, seed=0):
    """Move the right edge of every gold box inwards, by much the same everywhere."""
    boxes = made.gold.table.xyxy.copy()
    noise = np.random.default_rng(seed).normal(0, sd, len(boxes)) if sd else 0.0
    boxes[:, 2] = np.maximum(boxes[:, 2] - px + noise, boxes[:, 0] + 4)
    return replace(made.gold, table=replace(made.gold.table, xyxy=boxes))


def accused(gold, work):
    columns = Run(gold, work).bias_columns()
    biased = columns["verdict"] == "biased"
    pairs = zip(columns["annotator"][biased], columns["quantity"][biased], strict=True)
    return set(pairs), columns


@pytest.mark.parametrize("overlap", [None, 3, 1])
def test_equal_annotators_are_not_accused_of_a_tight_gold(overlap):
    # Shift and growth hang on the edge: what is shared there must be taken off them as well.
    runs = 30
    hit = 0
    for seed in range(runs):
        made = simulate(8, n_images=48, overlap=overlap, noise_px=1.0, rng=seed)
        found, columns = accused(with_tight_gold(made, 6.0, 0.6, seed), made.work)
        hit += bool(found)
        right = columns["quantity"] == "out_right"
        assert "clean" not in set(columns["verdict"][right])
    assert hit / runs <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / runs)


def test_a_few_shared_images_do_not_silence_the_rest():
    # Eight annotators on images of their own, and six images that all of them drew.
    own = simulate(8, n_images=160, overlap=1, rng=3)
    table = own.work.table
    shared = simulate(8, n_images=6, rng=4)
    gold = with_tight_gold(own, 6.0)
    image = len(own.gold.image_table) + shared.gold.table.image
    both_images = replace(
        own.gold.image_table,
        **{
            name: np.concatenate([getattr(one.gold.image_table, name) for one in (own, shared)])
            for name in ("width", "height")
        },
        id=np.arange(len(own.gold.image_table) + 6),
        file_name=None,
    )

    def join(first, second):
        columns = {
            name: np.concatenate([getattr(first, name), getattr(second, name)])
            for name in (
                "annotator",
                "category",
                "xyxy",
                "score",
                "crowd",
                "ignored",
                "source",
                "row",
            )
        }
        n = len(first) + len(second)
        where = np.concatenate([first.image, second.image + len(own.gold.image_table)])
        return replace(first, id=np.arange(n), image=where, **columns)

    assert len(image) == len(shared.gold.table)
    tight = with_tight_gold(shared, 6.0)
    gold = replace(gold, table=join(gold.table, tight.table), image_table=both_images)
    work = replace(
        own.work, table=join(table, shared.work.table), image_table=both_images, assigned=None
    )
    found, _ = accused(gold, work)
    assert not found


def test_an_annotator_nearer_to_the_gold_than_the_others_is_not_accused():
    made = simulate(
        {"ann": [], "bob": [], **{f"far-{k}": Habit.loose("right", px=9) for k in range(3)}},
        n_images=12,
        noise_px=3.0,
        rng=1,
    )
    found, columns = accused(made.gold, made.work)
    assert not {who for who, _ in found} & {"ann", "bob"}
    right = columns["quantity"] == "out_right"
    names = dict(zip(columns["annotator"][right], columns["verdict"][right], strict=True))
    assert {names[f"far-{k}"] for k in range(3)} == {"collective"}


def test_a_habit_beyond_the_shared_one_is_named():
    made = simulate({"ann": [], "bob": [], "cid": [], "dot": Habit.loose("right", px=9)}, rng=2)
    found, _ = accused(with_tight_gold(made, 6.0), made.work)
    assert ("dot", "out_right") in found
    assert {who for who, _ in found} == {"dot"}
