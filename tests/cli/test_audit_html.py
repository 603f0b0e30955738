"""``annqc audit --html``: a report beside the screen."""

from __future__ import annotations


def test_a_report_is_written_and_the_screen_says_where(run, tmp_path):
    done = run("audit", "work.json", "--gold", "gold.json", "--html", tmp_path / "r")
    assert done.exit_code == 0, done.output
    assert f"the report in {tmp_path / 'r' / 'index.html'}" in done.stdout
    page = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "bob draws the right edge" in page
    assert len(list((tmp_path / "r" / "annotators").glob("*.html"))) == 3


def test_pseudonyms_are_for_the_report_alone(run, tmp_path):
    said = ("audit", "work.json", "--gold", "gold.json", "--pseudonyms")
    done = run(*said, "--html", tmp_path / "r")
    assert done.exit_code == 0, done.output
    assert "bob draws the right edge" in done.stdout
    page = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "draws the right edge" in page
    assert "bob" not in page
    alone = run(*said)
    assert alone.exit_code == 2
    assert "--html" in alone.stderr


def test_checks_stand_in_the_report(run, tmp_path):
    spec = tmp_path / "s.annqc.toml"
    spec.write_text(
        '[annqc]\nversion = 1\n[[rule]]\nid = "no-edge-bias"\nmeasure = "edge_offset"\n'
        'by = ["annotator"]\n',
        encoding="utf-8",
    )
    said = ("audit", "work.json", "--gold", "gold.json", "--spec", spec, "--html", tmp_path / "r")
    assert run(*said).exit_code == 1
    page = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "no-edge-bias" in page
    assert "Checks of the spec" in page


def test_a_folder_that_is_no_report_is_refused_before_any_work(run, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    done = run("audit", "work.json", "--gold", "gold.json", "--html", tmp_path)
    assert done.exit_code == 2
    assert "no report of annqc" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_folder_of_the_inputs_is_refused(run, files):
    done = run("audit", "work.json", "--gold", "gold.json", "--html", ".")
    assert done.exit_code == 2
    assert (files / "gold.json").is_file()
