"""The screen: what stands on it, in which order, and that it fits."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len

import annqc
from annqc import Habit
from annqc.ids import ids_array
from annqc.report.grid import hanging, score_table
from annqc.report.mistakes import first_errors, unusable_drawings
from annqc.report.problems import lint_screen
from annqc.report.terminal import make_console, render, screen
from annqc.tables import QUANTITIES, Problem

FIRST = "The farthest box of the biased, and the largest errors"


def headings(text):
    return re.findall(r"^(?=\S)(.*?)(?:  |$)", text, re.MULTILINE)


def renamed(dataset, *names):
    return replace(dataset, annotator_ids=ids_array(list(names)))


def test_the_sections_stand_in_order(mixed):
    text = render(mixed)
    assert headings(text) == [
        "Compared", "Rules", "Left out", "Biased", "The others", "Scores", FIRST,
    ]  # fmt: skip
    assert text.startswith(
        f"Compared  60 images, {len(mixed.gold)} reference and {len(mixed.work):,} candidate boxes"
    )
    assert "tolerance max(1 px, 2 %), confidence 95 %, matching optimal at IoU 0.5" in text
    assert "Biased  3 of 5 annotators, the worst first" in text
    assert "2 shown to be clean on all four edges, 0 undecided" in text


def test_tolerance_and_level_are_stated_once(mixed):
    text = render(mixed)
    assert text.count("max(1 px, 2 %)") == 1
    assert text.count("95 %") == 1


@pytest.mark.parametrize("width", [80, 100, 132])
def test_no_line_is_wider_than_the_screen(fleet, mixed, width):
    for audit in (fleet, mixed):
        text = render(audit, by=("annotator", "category"), width=width)
        assert max(cell_len(line) for line in text.splitlines()) <= width
        assert not any(line != line.rstrip() for line in text.splitlines())


def test_a_fleet_fits_one_screen(fleet):
    text = render(fleet)
    assert len(text.splitlines()) <= 60
    assert "Biased  5 of 158 annotators" in text
    assert "and 146 more annotators: --all" in text
    assert text.count("too far out") >= 5


def test_all_shows_every_annotator(fleet):
    text = render(fleet, everything=True)
    assert "--all" not in text
    scores = text[text.index("Scores") : text.index(FIRST)]
    assert len(re.findall(r"^  (?:worker|loose)-", scores, re.MULTILINE)) == 158


def test_scores_have_intervals_images_and_rank_ranges(mixed):
    text = render(mixed)
    line = next(line for line in text.splitlines() if re.match(r"  eve +60 ", line))
    scores = mixed.scores().set_index("annotator").loc["eve"]
    # Rounded outwards: the interval on screen holds the interval of the table.
    low, high = math.floor(100 * scores["recall_low"]), math.ceil(100 * scores["recall_high"])
    assert f"{scores['recall']:.2f} ({low / 100:.2f}-{high / 100:.2f})" in line
    assert line.endswith(f" {scores['rank_low']}-{scores['rank_high']}")


def test_the_largest_bias_stands_on_top_of_the_scores(fleet):
    text = render(fleet)
    rows = re.findall(r"^  (\S+) +\d+ +[01]\.", text, re.MULTILINE)
    assert len(rows) == 12
    assert all(name.startswith("loose-") for name in rows[:5])


def test_a_wide_screen_has_all_measures(mixed):
    narrow, wide = render(mixed), render(mixed, width=110)
    assert "label accuracy" in narrow
    assert narrow.count("mean IoU") == 1
    assert "  mean IoU: a wider screen, or --json" in narrow
    assert "a wider screen" not in wide
    assert "label accuracy" in wide
    assert "mean IoU" in wide


def test_nobody_biased_says_so():
    made = annqc.simulate(["ann", "bob"], n_images=60, rng=1)
    text = render(annqc.audit(made.work, made.gold))
    assert "Biased  nobody, of 2 annotators" in text
    assert "Of them  2 shown to be clean on all four edges, 0 undecided" in text


def test_undecided_are_counted_and_told_what_would_settle_it(few):
    text = render(few)
    assert "0 shown to be clean on all four edges, 2 undecided" in text
    assert re.search(r"ann: about [\d,]+ more images would settle it", text)


def test_too_few_images_are_counted():
    made = annqc.simulate(["ann"], n_images=3, rng=1)
    text = " ".join(render(annqc.audit(made.work, made.gold)).split())
    assert "0 undecided, 1 with too few images (under 5)" in text


def test_everybody_comes_before_anybody():
    habits = {name: Habit.loose("right", px=6) for name in "abcde"}
    made = annqc.simulate({**habits, "far": Habit.loose("right", px=20)}, n_images=60, rng=1)
    text = render(annqc.audit(made.work, made.gold))
    first = text.index("Everybody is off alike: all annotators, or the gold, or the guideline")
    assert first < text.index("for everybody (") < text.index("Biased  1 of 6")
    assert "5 off as everybody is" in text


def test_identical_sides_have_no_errors():
    made = annqc.simulate(["ann"], n_images=20, rng=1)
    gold = renamed(made.gold, "ann")
    text = render(annqc.audit(made.gold, replace(gold, annotator_ids=ids_array(["gold team"]))))
    assert "Biased  nobody, of 1 annotator" in text
    assert text.rstrip().endswith("Errors  none")


def test_no_boxes_at_all_is_a_screen_too():
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    nothing = replace(made.work, table=made.work.table.take(np.empty(0, np.int64)))
    text = render(annqc.audit(nothing, made.gold))
    assert "0 candidate boxes" in text
    assert re.search(r"^  ann +6  0\.00 \(0\.00-", text, re.MULTILINE)
    empty_gold = replace(made.gold, table=made.gold.table.take(np.empty(0, np.int64)))
    assert "is around none of the gold's objects" in render(annqc.audit(made.work, empty_gold))


def test_parts_of_the_work_come_after_the_whole():
    made = annqc.simulate(
        {
            "ann": [],
            "ben": Habit.loose("right", px=9),
            "cat": Habit.loose("top", px=9).only(category="dog"),
        },
        n_images=80,
        rng=1,
    )
    text = render(annqc.audit(made.work, made.gold), by=("annotator", "category"))
    whole, parts = text.split("By annotator, category")
    flat = " ".join(whole.split())
    assert re.search(r"cat draws the top edge [^)]*\) on dog", flat)
    assert "draws" not in parts
    assert "ben: right edge, in 5 of the 5 categories that could be judged\n" in parts
    assert "cat: top edge, in 1 of the 5 categories that could be judged (dog)" in parts


def test_other_groupings_speak_of_groups(mixed):
    text = render(mixed, by=("category",))
    assert " of 5 groups" in text
    flat = " ".join(text.split())
    assert "the 5 annotators are pooled here, so one who is off may not show" in flat
    assert "--by annotator,category" in flat
    assert "pooled here" in json.loads(annqc.Audit.to_json(with_by(mixed, "category")))["notes"][0]
    assert re.search(r"^  ben +60 ", text[text.index("Scores") :], re.MULTILINE)
    assert "pooled here" not in render(mixed)


def with_by(audit, *by):
    again = annqc.Audit(audit.gold, audit.work, by=by)
    assert again.by == by
    return again


def test_the_best_are_named_where_not_everybody_is_shown(fleet, mixed):
    text = render(fleet)
    best = re.search(r"^  best: (.*)$", text, re.MULTILINE)[1]
    ranked = fleet.scores().sort_values("rank", kind="stable").head(3)
    assert [one.split(" (")[0] for one in best.split(", ")] == ranked["annotator"].tolist()
    first = ranked.iloc[0]
    assert best.startswith(f"{first['annotator']} ({first['rank_low']}-{first['rank_high']})")
    assert "best:" not in render(mixed)
    assert "best:" not in render(fleet, everything=True)


def test_each_of_the_biased_has_an_example(mixed):
    text = render(mixed, width=110)
    first = text[text.index(FIRST) :].splitlines()[1:4]
    measured = mixed.measurements
    names = mixed.work.annotator_ids[measured.annotator]
    for who, quantity, sign in (("ben", "out_right", 1), ("cat", "dy", -1), ("dan", "dw", 1)):
        (line,) = (one for one in first if f", {who}: " in one)
        offset = measured.values("px")[QUANTITIES.index(quantity)]
        offset = np.where((names == who) & np.isfinite(offset), sign * offset, -np.inf)
        row = int(offset.argmax())
        size = offset[row]
        box = mixed.work.table.id[measured.candidate[row]]
        assert f" {box} is {size:.{0 if size >= 10 else 1}f} px too " in line


def test_a_row_that_could_not_be_used_may_be_what_is_missing(mixed):
    errors = mixed.errors(kind="missed", annotator="eve")
    image = errors.iloc[0]["image_id"]
    dropped = Problem(
        kind="zero_size", severity="dropped", source="x.json", where="row", message="no",
        image_id=image, annotator="eve",
    )  # fmt: skip
    audit = annqc.audit(mixed.work.with_issues([dropped]), mixed.gold)
    flat = " ".join(render(audit).split())
    assert "those of the work count as not drawn" in flat
    again = audit.error_columns()
    said = first_errors(again, len(again["rank"]), unusable_drawings(audit))
    marked = [one for one in said if one.endswith("or its row could not be used")]
    assert len(marked) == (errors["image_id"] == image).sum()
    assert all(", eve: " in one for one in marked)


def test_footnotes_hang_on_a_narrow_screen():
    made = annqc.simulate(
        {"bob": [Habit.loose("right", px=5), Habit.misses(0.5)], "ann": []}, n_images=60, rng=1
    )
    text = render(annqc.audit(made.work, made.gold), width=60)
    assert "  * objects that were missed or could not be paired might\n    change this" in text


def test_unusable_rows_and_unknown_sizes_are_mentioned(mixed):
    problems = [
        Problem(kind=kind, severity=severity, source="x.json", where="row", message="no")
        for kind, severity, n in (("zero_size", "dropped", 3), ("duplicate_box", "kept", 2))
        for _ in range(n)
    ]
    images = replace(mixed.gold.image_table, width=np.full(60, np.nan))
    gold = replace(mixed.gold, image_table=images)
    text = render(annqc.audit(mixed.work.with_issues(problems), gold))
    flat = " ".join(text.split())
    assert "Unusable 3 rows: 3 zero_size (annqc lint shows them)" in flat
    assert "2 duplicate_box" in flat
    assert "image sizes are unknown: edges at the right and the bottom border could not" in flat


def test_work_that_gold_does_not_cover_is_counted(mixed):
    half = np.flatnonzero(mixed.gold.table.image < 30)
    images = mixed.gold.image_table.take(np.arange(30))
    gold = replace(mixed.gold, table=mixed.gold.table.take(half), image_table=images, assigned=None)
    text = " ".join(render(annqc.audit(mixed.work, gold)).split())
    assert re.search(r"[\d,]+ boxes on 30 images that the gold does not have", text)


def test_findings_that_what_is_missing_could_change_are_marked():
    made = annqc.simulate(
        {"bob": [Habit.loose("right", px=5), Habit.misses(0.5)], "ann": []}, n_images=60, rng=1
    )
    text = render(annqc.audit(made.work, made.gold))
    assert re.search(r"bob draws the right edge .* \*$", text, re.MULTILINE)
    assert "* objects that were missed or could not be paired might change this" in text


def test_hostile_names_are_shown_and_do_nothing():
    made = annqc.simulate({"a": Habit.loose("right", px=9), "b": []}, n_images=40, rng=1)
    bad = "[bold red]x[/]\x1b[2J\n:smile: " + "w" * 200
    text = render(annqc.audit(renamed(made.work, bad, "標注" * 20), made.gold))
    assert "\x1b" not in text
    assert r"[bold red]x[/]\x1b[2J\n:smile:" in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_no_colour_where_it_is_piped_and_colour_on_a_terminal(mixed, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def printed(file):
        screen(make_console(file), mixed)
        return file.getvalue()

    assert "\x1b[" not in printed(io.StringIO())
    assert "\x1b[31m" in printed(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in printed(Terminal())


def test_words_hang_and_long_words_stay_whole():
    lines = hanging("a bb " + "c" * 30 + " d", 20)
    assert lines == ["  a bb", "    " + "c" * 30, "    d"]
    assert hanging("", 20) == ["  "]


def test_lint_lists_kinds_with_examples(mixed):
    problems = [
        Problem(
            kind="zero_size",
            severity="dropped",
            source="x.json",
            where=f"annotations[{k}]",
            message="expected width and height above 0, found 0 and 4",
            annotation_id=k,
            annotator="bob",
        )
        for k in range(5)
    ]
    out = io.StringIO()
    lint_screen(make_console(out, width=80), mixed.work.with_issues(problems))
    text = " ".join(out.getvalue().split())
    assert "5 dropped: zero_size The box has no width or no height." in text
    assert "annotations[2] (annotation 2, annotator bob): expected width" in text
    assert "annotations[3]" not in text
    assert "and 2 more: --all" in text
    out = io.StringIO()
    lint_screen(make_console(out, width=80), mixed.work.with_issues(problems), everything=True)
    assert "annotations[4]" in out.getvalue()
    out = io.StringIO()
    lint_screen(make_console(out, width=80), mixed.work)
    assert "No problems." in out.getvalue()


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (1.0, 0.996, 1.0, "1.00 (0.99-1.00)"),
        (0.998, 0.996, 0.999, "0.99 (0.99-1.00)"),
        (0.002, 0.0, 0.011, "0.01 (0.00-0.02)"),
        (0.5, 0.4, 0.6, "0.50 (0.40-0.60)"),
        (0.0, 0.0, 0.07, "0.00 (0.00-0.07)"),
    ],
)
def test_only_what_is_whole_reads_one(value, low, high, text):
    made = annqc.simulate(["ann"], n_images=10, rng=0)
    columns = annqc.audit(made.work, made.gold).score_columns()
    columns |= {"recall": [value], "recall_low": [low], "recall_high": [high]}
    lines, _ = score_table(columns, 1, width=80, labels=True)
    assert text in lines[1]


@pytest.mark.parametrize(
    ("n", "said"),
    [(1, "with 1 annotator an offset"), (2, "with 2 annotators an offset"), (3, None)],
)
def test_one_must_mind_that_one_or_two_cannot_be_told_from_the_gold(n, said):
    made = annqc.simulate([f"a{k}" for k in range(n)], n_images=10, rng=1)
    audit = annqc.audit(made.work, made.gold)
    flat = " ".join(render(audit).split())
    notes = json.loads(audit.to_json())["notes"]
    assert len(notes) == (said is not None)
    assert ("Mind with" in flat) is (said is not None)
    if said is not None:
        assert f"Mind {said} of the gold looks the same as an offset of the annotators" in flat
        assert notes[0] in flat


def test_unknown_sizes_are_a_note_too(mixed):
    images = replace(mixed.gold.image_table, width=np.full(len(mixed.gold.image_table), np.nan))
    blind = annqc.audit(mixed.work, replace(mixed.gold, image_table=images))
    (note,) = json.loads(blind.to_json())["notes"]
    assert note in " ".join(render(blind).split())


def test_ids_and_columns_cannot_speak_to_the_terminal(mixed):
    bad = "x\x1b[31m"

    def hostile(data):
        table = data.table
        ids = ids_array([f"{bad}{k}" for k in range(len(table))])
        extra = {bad: ids_array([f"v{k % 2}" for k in range(len(table))])}
        return replace(data, table=replace(table, id=ids, extra=extra))

    audit = annqc.audit(hostile(mixed.work), hostile(mixed.gold), by=("annotator", bad))
    text = audit.summary()
    assert "\x1b" not in text
    assert f"By annotator, {bad}".encode("unicode_escape").decode() in text
    assert "gold " in text
    assert "x\\x1b[31m" in text[text.index(FIRST) :]


def test_work_that_is_the_gold_is_told(mixed):
    said = " ".join(render(annqc.audit(mixed.gold, mixed.gold)).split())
    assert f"{len(mixed.gold)} of {len(mixed.gold)} paired boxes are those of the gold" in said
    assert "are those of the gold" not in render(mixed)


def test_without_gold_images_are_counted_by_who_saw_them():
    made = annqc.simulate(["ann", "bob", "cem"], n_images=10, rng=4)
    text = render(annqc.audit(made.work))
    assert text.startswith("Compared  30 images, each as one annotator saw it, ")
    assert "Odd" not in headings(text)
    assert "without gold" in text or "there is no gold" in text
