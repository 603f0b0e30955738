import numpy as np
import pytest

from annqc.infer.cht import cluster_location
from annqc.infer.fleet import decide_fleet
from annqc.infer.verdicts import VERDICTS

MARGIN = np.ones(4)


def located(shifts, n_images=30, per_image=4, sd=0.5, seed=0):
    """One row of four shifts an annotator -> their `Location`."""
    rng = np.random.default_rng(seed)
    shifts = np.atleast_2d(np.asarray(shifts, dtype=float))
    a, n = len(shifts), n_images * per_image
    group, cluster = np.repeat(np.arange(a), n), np.tile(np.arange(n) // per_image, a)
    y = rng.normal(0, sd, (a * n, 4)) + np.repeat(shifts, n, axis=0)
    return cluster_location(group, cluster, y, n_groups=a)


def verdicts(decisions):
    return np.array(VERDICTS, dtype=object)[decisions.verdict].tolist()


def test_each_verdict():
    found = located([[3, 0, -3, 0], [0, 0, 0, 0], [0, 1, 0, 0]])
    decisions, _, accusation = decide_fleet(found, margin=MARGIN, shared=np.zeros(4))
    assert verdicts(decisions) == [
        ["biased", "clean", "biased", "clean"],
        ["clean"] * 4,
        ["clean", "undecided", "clean", "clean"],
    ]
    assert accusation.accused.tolist() == [True, False, False]
    assert np.isnan(decisions.n_more[0]).all()


def test_few_images_accuse_nobody():
    decisions, _, accusation = decide_fleet(
        located([[9, 9, 9, 9]], n_images=4), margin=MARGIN, shared=np.zeros(4)
    )
    assert verdicts(decisions) == [["undecided"] * 4]
    assert not accusation.accused.any()
    assert np.isnan(decisions.p_adjusted).all()
    assert not decisions.tested.any()


def test_what_everybody_does_is_collective_and_the_rest_is_judged():
    found = located([[2.5, 0, 0, 0], [2.5, 0, 0, 0], [6.0, 0, 0, 0], [0.0, 0, 0, 0]])
    decisions, _, _ = decide_fleet(found, margin=MARGIN, shared=np.array([2.5, 0, 0, 0]))
    first = [row[0] for row in verdicts(decisions)]
    # The last one differs from the others, but not from the gold: nobody knows who is right.
    assert first == ["collective", "collective", "biased", "undecided"]
    assert decisions.agrees[:, 0].tolist() == [False, False, False, True]


def test_a_habit_in_one_stratum_only():
    pooled = located([[0.2, 0, 0, 0], [0, 0, 0, 0]], n_images=60)
    strata = located([[0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], n_images=20, seed=1)
    head, inner, accusation = decide_fleet(
        pooled,
        margin=MARGIN,
        shared=np.zeros(4),
        strata=strata,
        unit=np.array([0, 0, 1, 1]),
        strata_shared=np.zeros((4, 4)),
    )
    assert [row[0] for row in verdicts(inner)] == ["clean", "biased", "clean", "clean"]
    assert "biased" not in np.ravel(verdicts(head))
    assert accusation.accused.tolist() == [True, False]


def test_strata_in_any_order_are_the_same():
    pooled = located(np.zeros((3, 4)))
    shifts = np.array([[0, 0, 0, 2], [0, 0, 0, 0], [0, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    unit = np.array([2, 0, 1, 1, 2])
    order = np.array([3, 1, 4, 0, 2])
    answers = []
    for rows in (np.arange(5), order):
        rng = np.random.default_rng(0)
        noise = rng.normal(0, 0.5, (5, 80, 4))[rows] + shifts[rows][:, None, :]
        strata = cluster_location(
            np.repeat(np.arange(5), 80), np.tile(np.arange(80) // 4, 5), noise.reshape(-1, 4)
        )
        _, inner, _ = decide_fleet(
            pooled,
            margin=MARGIN,
            shared=np.zeros(4),
            strata=strata,
            unit=unit[rows],
            strata_shared=np.zeros((5, 4)),
        )
        answers.append(inner)
    np.testing.assert_allclose(answers[0].p_adjusted[order], answers[1].p_adjusted)
    assert (answers[0].verdict[order] == answers[1].verdict).all()


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_clean_annotators_are_rarely_accused(shift):
    # Within tolerance, however measurable: over many fleets hardly anybody is named.
    accused = 0
    for seed in range(60):
        found = located(np.full((10, 4), shift), n_images=12, seed=seed)
        _, _, accusation = decide_fleet(found, margin=MARGIN, shared=np.zeros(4))
        accused += accusation.accused.any()
    assert accused / 60 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 60)
