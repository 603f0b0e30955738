import numpy as np

from annqc.infer.collective import collective, inherit, object_medians

MARGIN = np.array([1.0])


def ask(values, item, annotator, cluster, group=None, n_groups=1):
    group = np.zeros(len(item), int) if group is None else group
    return collective(
        np.atleast_2d(values),
        item=item,
        annotator=annotator,
        cluster=cluster,
        group=group,
        n_groups=n_groups,
        margin=MARGIN,
        group_grid=np.zeros((n_groups, 1)),
    )


def crowd(n_objects, annotators, shift, *, seed=0, sd=0.3):
    """Everybody draws every object; three objects an image."""
    rng = np.random.default_rng(seed)
    item = np.repeat(np.arange(n_objects), len(annotators))
    annotator = np.tile(annotators, n_objects)
    return rng.normal(shift, sd, len(item)), item, annotator, item // 3


def test_medians_are_taken_over_at_least_three():
    values = np.array([[1.0, 5.0, 2.0, 9.0, 1.0, np.nan, 3.0, 4.0]])
    item = np.array([4, 4, 4, 7, 7, 2, 2, 2])
    first, medians = object_medians(values, item)
    assert item[first].tolist() == [2, 4]
    np.testing.assert_array_equal(medians, [[np.nan, 2.0]])


def test_medians_equal_numpy():
    rng = np.random.default_rng(1)
    item = rng.integers(0, 12, 90)
    values = rng.normal(size=(3, 90))
    first, medians = object_medians(values, item)
    for column, at in enumerate(first):
        own = values[:, item == item[at]]
        assert own.shape[1] >= 3
        np.testing.assert_allclose(medians[:, column], np.median(own, axis=1))


def test_a_shift_of_everybody_is_collective():
    found = ask(*crowd(60, [0, 1, 2, 3], 2.5))
    assert found.method[0, 0] == "objects"
    assert found.biased[0, 0]
    assert abs(found.shift[0, 0] - 2.5) < 0.2
    assert found.ci_low[0, 0] < 2.5 < found.ci_high[0, 0]
    assert found.n_clusters[0, 0] == 20


def test_one_loose_annotator_is_not():
    values, item, annotator, cluster = crowd(60, [0, 1, 2, 3], 0.0)
    values[annotator == 2] += 4
    found = ask(values, item, annotator, cluster)
    assert not found.biased[0, 0]
    assert found.shift[0, 0] == 0


def test_annotators_are_the_clusters_where_objects_have_few():
    # Seven annotators, each on objects of their own: nobody shares an object.
    rng = np.random.default_rng(2)
    item = np.arange(140)
    found = ask(rng.normal(3, 0.3, 140), item, item % 7, item // 2)
    assert found.method[0, 0] == "annotators"
    assert found.n_clusters[0, 0] == 7
    assert found.biased[0, 0]


def test_two_annotators_prove_nothing():
    found = ask(*crowd(60, [0, 1], 5.0))
    assert found.method[0, 0] == ""
    assert not found.biased[0, 0]
    assert np.isnan(found.p_value[0, 0])


def test_strata_inherit_where_they_cannot_be_asked():
    values, item, annotator, cluster = crowd(60, [0, 1, 2, 3], 2.5)
    group = (item >= 57).astype(int)  # the second stratum is a single image
    strata = ask(values, item, annotator, cluster, group, 2)
    assert strata.method[:, 0].tolist() == ["objects", ""]
    pooled = ask(values, item, annotator, cluster)
    shared = inherit(strata, pooled)
    assert shared[0, 0] == strata.shift[0, 0]
    assert shared[1, 0] == pooled.shift[0, 0]


def test_false_alarm_rate_at_the_margin():
    # Offsets exactly at the margin are the worst case that must not be called biased too often.
    hits = sum(
        ask(*crowd(45, [0, 1, 2], 1.0, seed=seed, sd=1.0)).biased[0, 0] for seed in range(400)
    )
    assert hits / 400 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
