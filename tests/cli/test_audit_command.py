"""``annqc audit`` and ``annqc lint`` in this process: what they print, write and exit with."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

import annqc
from annqc.report.schema import AuditDocument, LintDocument

AUDIT = ("audit", "work.json", "--gold", "gold.json")


def test_one_screen_and_exit_0_without_a_spec(run):
    done = run(*AUDIT)
    assert done.exit_code == 0
    assert done.stdout.startswith("Compared  40 images")
    assert "bob draws the right edge" in done.stdout
    assert done.stderr == ""


def test_json_csv_and_saved_run_are_written_and_named(run, tmp_path):
    out, tables, saved = tmp_path / "out.json", tmp_path / "tables", tmp_path / "run.annqc"
    done = run(*AUDIT, "--json", out, "--csv", tables, "--save", saved)
    assert done.exit_code == 0
    flat = " ".join(done.stdout.split())
    assert f"Written: JSON in {out}, tables in {tables}, the run in {saved}" in flat
    document = msgspec.json.decode(out.read_bytes(), type=AuditDocument)
    assert [one.path for one in document.inputs] == ["gold.json", "work.json"]
    assert (tables / "bias.csv").exists()
    assert annqc.load(saved).work.annotator_ids.tolist() == ["ann", "bob", "eve"]


def test_json_to_stdout_is_json_alone(run):
    done = run(*AUDIT, "--json", "-")
    assert msgspec.json.decode(done.stdout.encode(), type=AuditDocument).compared.n_images == 40


def test_quiet_prints_nothing(run):
    done = run(*AUDIT, "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_parameters_reach_the_audit(run):
    rules = ("--tolerance", "9 px", "--confidence", "0.9", "--method", "cvat-2026")
    done = run(*AUDIT, "--json", "-", *rules, "--by", "annotator,size")
    document = json.loads(done.stdout)
    rules = document["parameters"]
    assert (rules["tolerance"], rules["confidence"]) == ("9 px", 0.9)
    assert (rules["match"]["method"], rules["match"]["iou"]) == ("cvat-2026", 0.4)
    assert rules["by"] == ["annotator", "size"]
    assert not any(one["verdict"] == "biased" for one in document["findings"])
    done = run(*AUDIT, "--json", "-", "--iou", "0.7")
    assert json.loads(done.stdout)["parameters"]["match"]["iou"] == 0.7


def test_the_annotator_can_be_said(run):
    done = run(*AUDIT, "--json", "-", "--annotator", "=vendor")
    assert [one["annotator"] for one in json.loads(done.stdout)["scores"]] == ["vendor"]


def test_several_files_are_one_work(run, made, tmp_path):
    text = json.loads(Path("work.json").read_text(encoding="utf-8"))
    for name in ("ann", "bob"):
        rows = [row for row in text["annotations"] if row["annotator"] == name]
        part = {**text, "annotations": rows}
        del part["assignments"]
        (tmp_path / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    done = run(
        "audit", tmp_path / "ann.json", tmp_path / "bob.json", "--gold", "gold.json", "--json", "-"
    )
    assert {one["annotator"] for one in json.loads(done.stdout)["scores"]} == {"ann", "bob"}


def test_all_lists_everybody(run):
    assert "--all" not in run(*AUDIT, "--all").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("audit", "nothing.json", "--gold", "gold.json"), "no such file"),
        ((*AUDIT, "--by", "annotator,categry"), "did you mean 'category'?"),
        ((*AUDIT, "--tolerance", "3"), "a number needs its unit"),
        ((*AUDIT, "--confidence", "95"), "confidence level is out of range"),
        ((*AUDIT, "--method", "optimum"), "did you mean 'optimal'?"),
        ((*AUDIT, "--iou", "7"), "out of range"),
        ((*AUDIT, "--format", "koko"), "there is no format 'koko'"),
        ((*AUDIT, "--engine", "abacus"), "abacus"),
        ((*AUDIT, "--spec", "nothing.toml"), "nothing.toml"),
        ((*AUDIT, "--image-sizes", "0x7"), "two positive numbers"),
        (("audit", "work.json", "--spec", "boxes"), "--gold is missing"),
        (("audit", "--gold", "gold.json"), "WORK is missing"),
        ((*AUDIT, "--undecided", "maybe"), "maybe"),
        (("adit",), "audit"),
        (("lint",), "WORK"),
        (("lint", "nothing.json"), "no such file"),
    ],
)
def test_a_wrong_call_is_one_message_and_exit_2(run, args, said):
    done = run(*args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_nothing_is_written_where_the_call_is_wrong(run, tmp_path):
    run(*AUDIT, "--by", "categry", "--json", tmp_path / "x.json", "--save", tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_not_overwritten(run, files):
    before = (files / "work.json").read_bytes()
    done = run(*AUDIT, "--json", "work.json")
    assert done.exit_code == 2
    assert "would overwrite an input" in done.stderr
    assert (files / "work.json").read_bytes() == before


@pytest.fixture
def own(tmp_path, files, monkeypatch):
    """A folder of inputs of its own, under the names of outputs too; and the current one."""
    for name in ("work.json", "gold.json"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    rows = ["annotation_id,image_id,annotator,category,x1,y1,x2,y2", "1,1,ann,car,1,1,9,9"]
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("work.json")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "work.json")
    (tmp_path / "sizes.csv").write_text("file_name,width,height\na,9,9\n", encoding="utf-8")
    (tmp_path / "names.txt").write_text("car\n", encoding="utf-8")
    rules = '[annqc]\nversion = 1\n[[rule]]\nid = "r"\nmeasure = "recall"\nat_least = 0.5\n'
    (tmp_path / "s.annqc.toml").write_text(rules, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        ("lint", "work.json", "--json", "work.json"),
        ("lint", "work.json", "--json", "link.json"),
        ("lint", "link.json", "--json", "work.json"),
        ("lint", "work.json", "--json", "hard.json"),
        ("lint", "work.json", "--categories", "names.txt", "--json", "names.txt"),
        ("lint", "work.json", "--image-sizes", "sizes.csv", "--json", "sizes.csv"),
        (*AUDIT, "--json", "gold.json"),
        (*AUDIT, "--json", "./../{here}/work.json"),
        (*AUDIT, "--spec", "s.annqc.toml", "--json", "s.annqc.toml"),
        (*AUDIT, "--image-sizes", "sizes.csv", "--json", "sizes.csv"),
        ("audit", "pairs.csv", "--gold", "pairs.csv", "--csv", "."),
        (*AUDIT, "--save", "."),
    ],
)
def test_no_output_goes_over_an_input(run, own, monkeypatch, args):
    monkeypatch.chdir(own)
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    done = run(*(arg.format(here=own.name) for arg in args))
    assert done.exit_code == 2, done.output
    assert "would overwrite an input" in done.stderr
    assert done.stdout == ""
    assert {path.name: path.read_bytes() for path in own.iterdir()} == before


@pytest.mark.parametrize("option", ["--json", "--csv", "--save"])
def test_folders_around_an_output_are_not_made(run, tmp_path, option):
    done = run(*AUDIT, option, tmp_path / "nonexist" / "dir" / "x")
    assert done.exit_code == 2
    assert "there is no such folder to write into" in done.stderr
    assert str(tmp_path / "nonexist" / "dir") in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_lint_does_not_make_folders_either(run, tmp_path):
    done = run("lint", "work.json", "--json", tmp_path / "nonexist" / "x.json")
    assert done.exit_code == 2
    assert "there is no such folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_will_be_refused_is_refused_before_anything_is_written(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    done = run(*AUDIT, "--json", tmp_path / "x.json", "--save", tmp_path / "mine")
    assert done.exit_code == 2
    assert not (tmp_path / "x.json").exists()


HOSTILE = "a\x1b[31m\x9b2J\u202eb"


def test_names_from_the_input_cannot_speak_to_the_terminal(run, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(f"{HOSTILE},y\n1,2\n", encoding="utf-8")
    folder = tmp_path / HOSTILE
    folder.mkdir()
    (folder / "bad.json").write_text("{", encoding="utf-8")
    calls = [
        ("lint", table),
        ("lint", folder / "bad.json"),
        ("lint", folder / "none.json"),
        (HOSTILE,),
        ("lint", f"--{HOSTILE}", "work.json"),
        (*AUDIT, "--by", HOSTILE),
        (*AUDIT, "--json", folder / "out.json"),
        (*AUDIT, "--all", "--annotator", "=" + HOSTILE),
    ]
    for call in calls:
        done = run(*call)
        assert "a\\x1b[31m\\x9b2J\\u202eb" in done.output.replace("\n", ""), call
        assert not set("\x1b\x9b\u202e") & set(done.output), call


def test_messages_keep_their_lines(run, tmp_path):
    done = run("lint", tmp_path / "none.json")
    assert done.stderr.splitlines()[1].startswith("  where: ")


def test_an_apology_cannot_speak_to_the_terminal(run, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError(HOSTILE)

    monkeypatch.setattr("annqc.report.terminal.compared", broken)
    done = run(*AUDIT)
    assert done.exit_code == 70
    assert "a\\x1b[31m" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("text", ["²x²", "³x4", "9" * 5000 + "x9", "1x2x3", "x", "Ⅷx8"])
def test_odd_image_sizes_are_one_message(run, text):
    done = run("lint", "work.json", "--image-sizes", text)
    assert done.exit_code == 2
    assert done.stderr.startswith("annqc: ")


def test_each_step_of_the_bar_does_the_work_it_names(run, monkeypatch):
    """The bar names a step, and the costly function of that step runs then, and once."""
    from annqc.cli import _progress
    from annqc.run import audit as room

    log = []

    class Noted(_progress.Progress):
        def step(self, what):
            log.append(what)

    monkeypatch.setattr(_progress, "Progress", Noted)

    def noted(name, work):
        def wrapped(*args, **kwargs):
            log.append(name)
            return work(*args, **kwargs)

        return wrapped

    for name in ("match", "measure", "score_columns", "error_columns"):
        monkeypatch.setattr(room, name, noted(name, getattr(room, name)))
    assert run(*AUDIT, "--by", "annotator,category").exit_code == 0
    assert log == [
        "reading the gold",
        "reading the work",
        "matching",
        "match",
        "measure",
        "findings",
        "scores",
        "score_columns",
        "errors",
        "error_columns",
        "checks and outputs",
    ]


def test_a_fault_of_annqc_is_an_apology(run, monkeypatch):
    def broken(*_args, **_kwargs):
        message = "oh\nno"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("annqc.report.compared.compared", broken)
    monkeypatch.setattr("annqc.report.terminal.compared", broken)
    done = run(*AUDIT)
    assert done.exit_code == 70
    assert "ZeroDivisionError: oh)" in done.stderr
    assert "--debug" in done.stderr
    assert isinstance(run(*AUDIT, "--debug").exception, ZeroDivisionError)


def test_an_interrupt_exits_with_130(run, monkeypatch):
    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("annqc.report.terminal.compared", stop)
    done = run(*AUDIT)
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


RULES = {
    "pass": 'measure = "recall"\nat_least = 0.5',
    "fail": 'measure = "edge_offset"',
    "undecided": 'measure = "recall"\nat_least = 0.999\nwhere = { annotator = "ann" }',
}


@pytest.fixture
def spec(tmp_path):
    def write(*outcomes: str, head: str = "") -> Path:
        rules = "\n".join(
            f'[[rule]]\nid = "{name}-{k}"\n{RULES[name]}' for k, name in enumerate(outcomes)
        )
        path = tmp_path / "rules.annqc.toml"
        path.write_text(f"[annqc]\nversion = 1\n{head}\n{rules}\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("outcomes", "undecided", "code"),
    [
        (("pass",), "undecided", 0),
        (("pass", "fail"), "undecided", 1),
        (("pass", "undecided"), "undecided", 3),
        (("undecided", "fail"), "undecided", 1),
        (("undecided",), "pass", 0),
        (("undecided",), "fail", 1),
    ],
)
def test_a_spec_sets_the_exit_code(run, spec, outcomes, undecided, code):
    done = run(*AUDIT, "--spec", spec(*outcomes), "--undecided", undecided)
    assert done.exit_code == code, done.output
    for k, name in enumerate(outcomes):
        assert f"{name}  {name}-{k}: " in done.stdout


def test_checks_are_in_the_json(run, spec):
    done = run(*AUDIT, "--spec", spec("fail"), "--json", "-")
    document = msgspec.json.decode(done.stdout.encode(), type=AuditDocument)
    assert done.exit_code == 1
    assert document.judgement.outcome == "fail"


def test_a_spec_can_name_the_files_and_the_matching(run, spec, files):
    head = f'gold = "{files}/gold.json"\ncandidate = "{files}/work.json"\n[match]\niou = 0.75'
    done = run("audit", "--spec", spec("pass", head=head), "--json", "-")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["parameters"]["match"]["iou"] == 0.75


BROKEN = 'measure = "recall"\nat_least = 0.5\nwhere = { annotator = "bop" }'


@pytest.mark.parametrize("silent", [("--quiet",), ("--json", "-")])
def test_a_rule_that_cannot_be_applied_is_told_in_any_case(run, tmp_path, silent):
    path = tmp_path / "b.annqc.toml"
    rules = "\n".join(f'[[rule]]\nid = "r{k}"\n{BROKEN}' for k in range(3))
    path.write_text(f"[annqc]\nversion = 1\n{rules}\n", encoding="utf-8")
    done = run(*AUDIT, "--spec", path, *silent)
    assert done.exit_code == 2
    assert "error  r0, r1, r2: there is no annotator 'bop' in the data" in done.stderr
    assert done.stderr.count("bop") == 1
    if silent == ("--quiet",):
        assert done.stdout == ""
    assert run(*AUDIT, "--spec", path).stdout.count("bop") == 1


def test_rules_with_their_own_tolerance_are_named_where_another_is_asked_for(run, tmp_path):
    path = tmp_path / "own.annqc.toml"
    rule = 'id = "strict"\nmeasure = "edge_offset"\ntolerance = "9 px"\nconfidence = 0.9'
    path.write_text(f"[annqc]\nversion = 1\n[[rule]]\n{rule}\n", encoding="utf-8")
    assert "is for the rest" not in run(*AUDIT, "--spec", path).stdout
    flat = run(*AUDIT, "--spec", path, "--tolerance", "2 px", "--confidence", "0.99").stdout
    assert "Mind: --tolerance is for the rest: strict has its own tolerance" in flat
    assert "Mind: --confidence is for the rest: strict has its own confidence" in flat


def test_rules_that_do_not_ask_what_the_audit_finds_say_so(run, tmp_path):
    path = tmp_path / "found.annqc.toml"
    rule = 'id = "found"\nmeasure = "precision"\nat_least = 0.5'
    path.write_text(f"[annqc]\nversion = 1\n[[rule]]\n{rule}\n", encoding="utf-8")
    done = run(*AUDIT, "--spec", path)
    assert done.exit_code == 0
    flat = " ".join(done.stdout.split())
    assert "Mind: by annotator and max(1 px, 2 %) the audit finds bob biased" in flat
    assert "which the rules of the spec let pass" in flat


def test_an_empty_grouping_is_refused(run):
    # As from a variable that is not set: pooling everybody must be asked for by a name.
    done = run(*AUDIT, "--by", "")
    assert done.exit_code == 2
    assert "names no column" in done.stderr


def test_without_annotators_in_the_grouping_the_screen_says_that_they_are_pooled(run):
    done = run(*AUDIT, "--by", "category")
    assert done.exit_code == 0, done.output
    flat = " ".join(done.stdout.split())
    assert "Mind the 3 annotators are pooled here" in flat
    assert "--by annotator" in flat
    assert "Scores" in flat


def test_columns_of_a_table_can_be_named(run, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("frame,who,x1,y1,x2,y2\na.jpg,ann,1,1,9,9\n", encoding="utf-8")
    for given in (("--columns", "image_id=frame,annotator=who"),
                  ("--columns", "image_id=frame", "--columns", "annotator=who")):  # fmt: skip
        done = run("lint", table, *given)
        assert done.exit_code == 0, done.output
        assert "1 image, 1 annotator" in " ".join(done.stdout.split())
    gold = tmp_path / "g.csv"
    gold.write_text(table.read_text(encoding="utf-8").replace("ann,", "gold,"), encoding="utf-8")
    done = run("audit", table, "--gold", gold, "--columns", "image_id=frame,annotator=who")
    assert "Compared  1 image, " in done.stdout, done.output
    wrong = run("lint", table, "--columns", "frame")
    assert (wrong.exit_code, "NAME=COLUMN" in wrong.stderr) == (2, True)


@pytest.fixture
def faulty(tmp_path):
    rows = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 1, 0, 9]},
        {"id": 3, "image_id": 8, "category_id": 1, "bbox": [1, 1, 9, 9]},
    ]
    document = {"images": [{"id": 1}], "annotations": rows, "categories": [{"id": 1, "name": "x"}]}
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_lint_lists_problems_and_exits_0(run, faulty):
    done = run("lint", faulty)
    assert done.exit_code == 0
    assert (
        "Read 1 coco file: 3 rows, of which 1 is usable; 1 image, 1 annotator, 1 category"
        in " ".join(done.stdout.split())
    )
    assert done.stdout.count(faulty.name) == 1  # the file is named, and not with every row
    assert "1 dropped: zero_size" in done.stdout
    assert "1 dropped: unknown_image" in done.stdout
    assert "No problems." in run("lint", "work.json").stdout


def test_lint_says_that_a_file_is_empty(run, tmp_path):
    (tmp_path / "1.txt").write_text("")
    assert run("lint", tmp_path / "1.txt").stdout.startswith("Read 1 empty file: 0 rows")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), 0),
        (("--strict",), 2),
        (("--fail-on", "dropped"), 1),
        (("--fail-on", "any"), 1),
        (("--fail-on", "never", "--quiet"), 0),
    ],
)
def test_lint_fails_on_what_it_is_asked_to(run, faulty, args, code):
    assert run("lint", faulty, *args).exit_code == code
    assert run("lint", "work.json", *args).exit_code == 0


def test_lint_all_is_one_line_a_row(run, faulty):
    lines = run("lint", faulty, "--all").stdout.splitlines()
    rows = [line for line in lines if line.startswith("  annotations[")]
    assert len(rows) == 2
    assert max(map(len, rows)) > 80
    assert [row.split(" (")[0] for row in rows] == ["  annotations[2]", "  annotations[1]"]
    assert not any(line.startswith("    ") for line in lines)


def test_lint_writes_json(run, faulty, tmp_path):
    done = run("lint", faulty, "--json", "-")
    found = msgspec.json.decode(done.stdout.encode(), type=LintDocument)
    assert found.problems.dropped == {"zero_size": 1, "unknown_image": 1}
    assert [one.annotation_id for one in found.problems.rows] == [3, 2]
    run("lint", faulty, "--json", tmp_path / "l.json")
    assert msgspec.json.decode((tmp_path / "l.json").read_bytes(), type=LintDocument)


def test_unusable_rows_are_mentioned_in_an_audit_and_fatal_if_strict(run, faulty):
    done = run("audit", faulty, "--gold", faulty)
    assert done.exit_code == 0
    assert "Unusable  4 rows:" in done.stdout
    strict = run("audit", faulty, "--gold", faulty, "--strict")
    assert strict.exit_code == 2
    assert "cannot be used" in strict.stderr
