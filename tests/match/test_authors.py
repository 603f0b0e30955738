"""Nobody is judged on a reference they drew themselves."""

from dataclasses import replace

import numpy as np

from annqc.match import match
from annqc.match.authors import author_columns, unsigned
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


def lone(**extra):
    """Work of one, read from a file that does not say so."""
    made = simulate(["work"], n_images=6, rng=0)
    table = replace(made.work.table, extra=extra)
    source = replace(made.work.sources[0], format="table")
    return replace(made.work, table=table, sources=(source,), authors_known=False)


def test_work_of_one_that_nobody_signed_is_told():
    said = "the work does not say who drew what, so everything counts as one annotator, 'work'"
    assert unsigned(lone()) == f"{said}; --annotator =NAME calls them otherwise"
    assert unsigned(replace(lone(), authors_known=True)) == ""
    assert unsigned(simulate(["work"], n_images=6, rng=0).work) == ""
    both_of_them = simulate(["ann", "bob"], n_images=6, rng=0).work
    assert unsigned(replace(both_of_them, sources=lone().sources)) == ""


def test_columns_that_could_say_who_drew_are_named():
    n = len(lone())
    texts = np.array([["x", "y"][k % 2] for k in range(n)], dtype=object)
    found = lone(
        split=texts,
        whodunnit=texts,
        row=np.array([f"r{k}" for k in range(n)], dtype=object),
        same=np.array(["a"] * n, dtype=object),
        count=np.arange(n),
    )
    assert author_columns(found) == ["whodunnit", "split"]
    assert "if the column whodunnit or split says it" in unsigned(found)
