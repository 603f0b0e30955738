"""Nobody is judged on a reference they drew themselves."""

from dataclasses import replace

import numpy as np

from annqc.match import match
from annqc.simulate import simulate


def both(gold_names, *, known=True):
    """Gold drawn by two people in turn, work by three."""
    made = simulate(["ann", "bob", "cid"], n_images=6, rng=0)
    author = made.gold.table.image % 2
    gold = replace(
        made.gold,
        table=replace(made.gold.table, annotator=author),
        annotator_ids=np.array(gold_names, dtype=object),
        authors_known=known,
    )
    return gold, replace(made.work, authors_known=known)


def tasks(matches):
    names = matches.candidate.annotator_ids[matches.task_annotator]
    return sorted(zip(names.tolist(), matches.task_image.tolist(), strict=True))


def test_an_author_is_compared_on_the_other_images_only():
    matches = match(*both(["ann", "expert"]))
    own = {("ann", image) for image in (0, 2, 4)}
    everything = {(who, image) for who in ("ann", "bob", "cid") for image in range(6)}
    assert set(tasks(matches)) == everything - own
    rows = np.concatenate([matches.matched_candidate, matches.spurious_candidate])
    table = matches.candidate.table
    drawn = {
        (int(a), int(i)) for a, i in zip(table.annotator[rows], table.image[rows], strict=True)
    }
    assert not drawn & {(0, image) for image in (0, 2, 4)}
    (issue,) = matches.issues
    assert (issue.kind, issue.annotator) == ("own_reference", "ann")
    assert "3 images" in issue.message


def test_without_assignments_just_the_same():
    gold, work = both(["ann", "expert"])
    assert tasks(match(gold, replace(work, assigned=None))) == tasks(match(gold, work))


def test_names_of_files_are_no_authors():
    assert match(*both(["ann", "bob"], known=False)).n_tasks == 18
