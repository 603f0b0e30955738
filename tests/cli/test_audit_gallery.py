"""``annqc audit --html --images --url``: single annotations over their images, and links out."""

from __future__ import annotations

import re

import pytest

from tests.report.html.drawn_images import draw_images

SAID = ("audit", "work.json", "--gold", "gold.json")


@pytest.fixture(scope="session")
def photos(files, made):
    draw_images(files / "photos", made.gold, skip=("image_01.jpg",))
    return files / "photos"


def test_a_folder_of_images_gives_crops(run, photos, tmp_path):
    done = run(*SAID, "--html", tmp_path / "r", "--images", photos)
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "r" / "assets" / "crops").glob("*.jpg"))) > 5
    assert (tmp_path / "r" / "review" / "queue.csv").is_file()


def test_patterns_give_links(run, tmp_path):
    links = ("--images", "https://i.example/{file_name}", "--url", "https://t.example/{image_id}")
    done = run(*SAID, "--html", tmp_path / "r", *links)
    assert done.exit_code == 0, done.output
    assert "https://t.example/" in (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    pages = [p.read_text(encoding="utf-8") for p in (tmp_path / "r" / "annotators").iterdir()]
    assert all('href="https://i.example/image_' in page for page in pages)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--images", "nowhere"),
        ("--images", "javascript:alert(1)//{file_name}"),
        ("--images", "data:image/png;base64,{file_name}"),
        ("--images", "file:///{file_name}"),
        ("--images", "https://i.example/{annotation_id}"),
        ("--url", "javascript:alert({image_id})"),
        ("--url", "https://t.example/{who}"),
    ],
)
def test_what_is_no_pattern_is_refused_before_any_work(run, tmp_path, wrong):
    done = run("audit", "no-such-file.json", "--gold", "g", "--html", tmp_path / "r", *wrong)
    assert done.exit_code == 2
    assert "no-such-file" not in done.stderr
    assert wrong[0].strip("-") in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--images", "--url"])
def test_without_a_report_they_are_for_nothing(run, option):
    done = run(*SAID, option, "https://t.example/{image_id}")
    assert done.exit_code == 2
    assert "--html" in done.stderr


def test_the_folder_of_the_images_is_never_replaced(run, photos):
    before = sorted(p.name for p in photos.iterdir())
    assert run(*SAID, "--html", photos, "--images", photos).exit_code == 2
    assert sorted(p.name for p in photos.iterdir()) == before
    (photos / "report").mkdir(exist_ok=True)
    inside = run(*SAID, "--html", photos / "report", "--images", photos)
    assert inside.exit_code == 0, inside.output


def test_the_screen_says_how_many_are_over_their_images_and_why_not(run, photos, tmp_path):
    done = run(*SAID, "--html", tmp_path / "r", "--images", photos)
    page = (tmp_path / "r" / "problems.html").read_text(encoding="utf-8")
    shown, n = re.search(r"([\d,]+) of ([\d,]+) single annotations are shown", page).groups()
    said = " ".join(done.output.split())
    assert f"with {shown} of {n} single annotations over their images" in said
    (tmp_path / "empty").mkdir()
    done = run(*SAID, "--html", tmp_path / "s", "--images", tmp_path / "empty")
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert f"with 0 of {n} single annotations over their images ({n} not found)" in said
    assert "over their images" not in run(*SAID, "--html", tmp_path / "t").output
