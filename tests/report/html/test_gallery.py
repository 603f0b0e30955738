"""Galleries show the worst and the typical, over their images where there are any."""

from __future__ import annotations

import re
import shutil
from urllib.parse import urlparse

import cv2
import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.errors import AnnqcError
from annqc.report.html import crops
from annqc.simulate import OutlineHabit, outlines
from annqc.write import write_coco
from tests.report.html.drawn_images import draw_images, encoded, turned
from tests.report.html.test_html_report import pages

LARGE = 15e6


@pytest.fixture(scope="module")
def audit():
    made = annqc.simulate(
        {
            "ann": [],
            "bob": Habit.loose("right", px=6),
            "eve": Habit.parse("misses 15 %, extras 10 %, wrong labels 8 %, gross 4 %"),
        },
        n_images=40,
        image_size=(640, 480),
        rng=1,
    )
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def images(audit, tmp_path_factory):
    there = tmp_path_factory.mktemp("gallery") / "images"
    draw_images(there, audit.gold)
    return there


@pytest.fixture(scope="module")
def folder(audit, images, tmp_path_factory):
    there = tmp_path_factory.mktemp("gallery") / "r"
    return audit.to_html(there, images=images, url="https://t.example/{image_id}").parent


def figures(page):
    """The parts of a page that show one annotation each, as text."""
    return re.findall(r'<figure class="shot.*?</figure>', page, re.DOTALL)


def person_pages(folder):
    return {p.name: p.read_text(encoding="utf-8") for p in (folder / "annotators").iterdir()}


def test_every_annotation_is_shown_over_its_image(folder):
    crops_of_pages = []
    for page in person_pages(folder).values():
        for one in figures(page):
            [href] = re.findall(r'<image href="\.\./(assets/crops/c\d+\.jpg)"', one)
            crops_of_pages.append(href)
    there = {p.relative_to(folder).as_posix() for p in (folder / "assets" / "crops").iterdir()}
    assert sorted(crops_of_pages) == sorted(there)
    n = len(crops_of_pages)
    text = pages(folder)["problems.html"].text
    assert f"{n} of {n} single annotations are shown over their image" in text


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+\.?\d*", text)]


def test_gold_lies_on_the_object_in_the_picture(folder):
    """The objects are black: where black begins in the picture, there the gold has its edges."""
    seen = 0
    for page in person_pages(folder).values():
        for one in figures(page):
            gold = re.search(r'class="reference" d="M([^"]*)Z"', one)
            if gold is None or "not drawn" in one or "overlap" in one:
                continue
            ring = np.array(numbers(gold[1])).reshape(-1, 2)
            tag = re.search(r"<image [^>]*>", one)[0]
            x, y, width, height = (
                numbers(re.search(rf' {name}="([^"]*)"', tag)[1])[0]
                for name in ("x", "y", "width", "height")
            )
            path = re.search(r'href="\.\./([^"]*)"', tag)[1]
            dark = cv2.imread(str(folder / path), cv2.IMREAD_GRAYSCALE) < 120
            rows, columns = dark.shape
            inside = (ring - [x, y]) / [width, height] * [columns, rows]
            (x1, y1), (x2, y2) = inside.min(axis=0), inside.max(axis=0)
            middle = dark[int(np.clip((y1 + y2) / 2, 0, rows - 1))]
            if not (x1 > 2 and x2 < columns - 2 and not middle[: max(int(x1) - 1, 0)].any()):
                continue
            if middle[int(x2) + 2 :].any():  # another object is beside it
                continue
            found = np.flatnonzero(middle)
            px = columns / width
            assert found[0] == pytest.approx(x1, abs=1.0 + px)
            assert found[-1] + 1 == pytest.approx(x2, abs=1.0 + px)
            seen += 1
    assert seen > 10


def test_the_overview_leads_to_what_is_to_be_looked_at_first(audit, folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    listed = re.search(r'<h2 id="first">.*?</section>', text, re.DOTALL)[0]
    items = re.findall(r"<li><a href=\"annotators/([^\"#]+)#([^\"]+)\">(.*?)</a>", listed)
    queue = audit.review(top=12).columns
    assert len(items) == 12
    found = person_pages(folder)
    for (page, anchor, said), image in zip(items, queue["file_name"], strict=True):
        assert f'id="{anchor}"' in found[page]
        assert str(image) in said
    out = re.findall(r'href="(https://t\.example/[^"]*)"', listed)
    assert out == [f"https://t.example/{one}" for one in queue["image_id"]]


def test_the_choice_is_always_the_same(audit, images, folder, tmp_path):
    again = audit.to_html(tmp_path / "r", images=images, url="https://t.example/{image_id}").parent
    for one in folder.rglob("*"):
        if one.is_file():
            data, other = one.read_bytes(), (again / one.relative_to(folder)).read_bytes()
            nonce = re.compile(rb"nonce[-=]\"?[\w-]+")
            assert nonce.sub(b"", data) == nonce.sub(b"", other)


def test_images_that_cannot_be_shown_are_counted_and_told(audit, images, folder, tmp_path):
    there = tmp_path / "images"
    shutil.copytree(images, there)
    every = "".join(person_pages(folder).values())
    names = sorted(set(re.findall(r">(image_\d+\.jpg)</a>", every)))
    pixels = cv2.imread(str(there / names[3]))
    for name in names[:10]:
        (there / name).unlink()
    (there / names[3]).write_bytes(turned(".jpg", pixels, 6))
    (there / names[4]).write_bytes(encoded(".jpg", pixels[:-1]))
    (there / names[5]).write_bytes(b"no picture")
    (tmp_path / "outside.jpg").write_bytes(encoded(".jpg", pixels))
    (there / names[6]).symlink_to(tmp_path / "outside.jpg")
    made = audit.to_html(tmp_path / "r", images=there).parent
    shots = [one for page in person_pages(made).values() for one in figures(page)]
    without = [one for one in shots if "<image " not in one]
    reasons = [re.search(r"no image: ([^<]*)<", one)[1] for one in without]
    assert {one.split()[0] for one in reasons} == {"not", "turned", "of", "no", "a"}
    text = (made / "problems.html").read_text(encoding="utf-8")
    section = re.search(r'<h2 id="images">.*?</section>', text, re.DOTALL)[0]
    told = re.findall(r"<b>(\d+)</b> images?, (\d+) annotations?: (.*?)\.</summary>", section)
    assert sum(int(n) for _, n, _ in told) == len(without) > 0
    assert {why: int(n) for _, n, why in told} == {one: reasons.count(one) for one in reasons}
    assert f"{len(shots) - len(without)} of {len(shots)}" in section
    for name in names[:10]:
        assert (name in section) == any(name in one for one in without)


def test_without_images_the_edges_are_labelled(audit, tmp_path):
    made = audit.to_html(tmp_path / "r").parent
    assert not (made / "assets" / "crops").exists()
    for page in person_pages(made).values():
        assert "<image" not in page
        assert re.search(r"<text [^>]*>(left|right) [+\u2212]?\d", page)
    assert "No folder of images was given" in pages(made)["problems.html"].text


def test_a_pattern_gives_links_and_loads_nothing(audit, tmp_path):
    made = audit.to_html(tmp_path / "r", images="https://i.example/a/{file_name}").parent
    for name, page in pages(made).items():
        assert not page.all("image")
        assert not page.all("img")
        hosts = [a["href"] for a in page.all("a") if urlparse(a.get("href", "")).netloc]
        assert all(one.startswith("https://i.example/a/image_") for one in hosts)
        assert bool(hosts) == name.startswith("annotators/")
    assert not (made / "assets" / "crops").exists()
    relative = audit.to_html(tmp_path / "s", images="photos/{file_name}").parent
    assert '"../photos/image_' in next(iter(person_pages(relative).values()))


def test_links_that_lack_something_are_counted(audit, tmp_path):
    patterns = {"images": "https://i.example/{frame}", "url": "https://t.example/{annotation_id}"}
    made = audit.to_html(tmp_path / "r", **patterns).parent
    shots = [one for page in person_pages(made).values() for one in figures(page)]
    unopened = sum("t.example" not in one for one in shots)
    assert 0 < unopened < len(shots)
    text = pages(made)["problems.html"].text
    assert f"{unopened} of {len(shots)} single annotations have no link into the tool" in text
    assert f"{len(shots)} of {len(shots)} single annotations have no link to their image" in text


@pytest.mark.parametrize("name", ["images", "url"])
@pytest.mark.parametrize(
    "pattern", ["javascript:alert('{image_id}')", "data:text/html,{image_id}", "file:///{image_id}"]
)
def test_what_runs_or_reads_something_is_no_link(audit, tmp_path, name, pattern):
    with pytest.raises(AnnqcError, match="no pattern for links"):
        audit.to_html(tmp_path / "r", **{name: pattern})
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_of_images_stay_text_and_inside(tmp_path):
    made = annqc.simulate({"ann": Habit.misses(0.3)}, n_images=12, rng=3)
    names = ["<script>alert(1)</script>.jpg", '"><img src=x>.jpg', "../secret.jpg", "/etc/passwd"]
    made.gold.image_table.file_name[: len(names)] = names
    made.work.image_table.file_name[: len(names)] = names
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.jpg").write_bytes(encoded(".jpg", np.zeros((1080, 1920, 3), np.uint8)))
    audit = annqc.audit(made.work, made.gold)
    page = audit.to_html(tmp_path / "r", images=tmp_path / "in", url="https://t/{file_name}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "r", "secret.jpg"]
    assert not (page.parent / "assets" / "crops").exists()
    for found in pages(page.parent).values():
        assert not found.all("img")
        assert all("alert" not in one for one in found.scripts)
        for a in found.all("a"):
            assert ".." not in a.get("href", "").replace("../", "", 1)


def test_pseudonyms_leak_from_no_file(tmp_path):
    names = ("zaphod-q", "trillian-q", "marvin-q")
    made = annqc.simulate(
        {names[0]: [], names[1]: Habit.loose("left", px=6), names[2]: Habit.misses(0.3)},
        n_images=20,
        image_size=(320, 240),
        boxes_per_image=2,
        rng=4,
    )
    by = np.array([f"by {made.work.annotator_ids[k]}" for k in made.work.table.annotator], object)
    made.work.table.extra["reviewer"] = by
    there = tmp_path / "photos-of-marvin-q"
    draw_images(there, made.gold, skip=("image_03.jpg",))
    work = write_coco(made.work, tmp_path / "work-of-marvin-q.json")
    audit = annqc.audit(work, made.gold)
    open_ = audit.to_html(tmp_path / "open", images=there, url="https://t/{annotation_id}").parent
    veiled = audit.to_html(
        tmp_path / "veiled", pseudonyms=True, images=there, url="https://t/{annotation_id}"
    ).parent
    whole = b"".join(p.read_bytes() for p in (open_ / "review").iterdir())
    assert all(one.encode() in whole for one in names)  # the search would find them
    files = [p for p in veiled.rglob("*") if p.is_file()]
    assert any(p.suffix == ".jpg" for p in files)
    for one in files:
        data = one.read_bytes().lower()
        for who in (b"zaphod", b"trillian", b"marvin"):
            assert who not in data
            assert who not in str(one.relative_to(veiled)).encode()
    assert not (veiled / "review").exists()
    assert "Review files are left out" in pages(veiled)["index.html"].text


def test_outlines_are_drawn_as_such(tmp_path):
    made = outlines({"ann": [], "eve": OutlineHabit.dilated(4)}, n_images=12, rng=1)
    gold, work = (
        annqc.read(write_coco(side, tmp_path / f"{name}.json"), shapes=True)
        for name, side in (("gold", made.gold), ("work", made.work))
    )
    page = annqc.audit(work, gold).to_html(tmp_path / "r")
    shots = [one for text in person_pages(page.parent).values() for one in figures(text)]
    gold = [d for one in shots for d in re.findall(r'reference" d="([^"]*)', one)]
    vertices = [len(numbers(d)) // 2 for d in gold]
    assert max(vertices) > 8
    assert max(vertices) <= 150


def test_158_people_and_noise_fit(fleet, tmp_path):
    images = fleet.gold.image_table
    there = tmp_path / "images"
    there.mkdir()
    size = (int(images.height[0]), int(images.width[0]), 3)
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    first = there / images.file_name[0]
    first.write_bytes(encoded(".jpg", noise))
    for name in images.file_name[1:]:
        (there / name).symlink_to(first)
    made = fleet.to_html(tmp_path / "r", images=there).parent
    sizes = [p.stat().st_size for p in made.rglob("*") if p.is_file()]
    assert sum(sizes) < LARGE
    pictures = [p.stat().st_size for p in (made / "assets" / "crops").iterdir()]
    assert sum(pictures) <= crops.MOST_BYTES
    shots = sum(len(figures(page)) for page in person_pages(made).values())
    assert len(pictures) == shots > 500


def test_nothing_stands_out_in_work_that_is_the_gold(tmp_path):
    made = annqc.simulate(["ann"], n_images=20, noise_px=0.1, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    assert "Nothing stands out." in pages(page.parent)["index.html"].text
    assert "Others to look at first" not in "".join(person_pages(page.parent).values())


def test_pseudonyms_leak_from_no_image_where_there_is_no_gold(tmp_path):
    names = ("zaphod-q", "trillian (q)", "marvin) (q", "ford-q")
    made = annqc.simulate(dict.fromkeys(names, Habit.misses(0.2)), n_images=20, rng=4)
    work = made.work.annotations.drop(columns="file_name", errors="ignore")
    page = annqc.audit(work).to_html(tmp_path / "r", pseudonyms=True)
    text = b"".join(p.read_bytes() for p in page.parent.rglob("*.html"))
    assert b"(annotator 1)" in text or b"annotator 1" in text
    for who in (b"zaphod", b"trillian", b"marvin", b"ford-q"):
        assert who not in text


def test_work_without_gold_speaks_of_the_others(tmp_path):
    made = annqc.simulate(dict.fromkeys("abcd", Habit.misses(0.1)), n_images=20, rng=1)
    page = annqc.audit(made.work).to_html(tmp_path / "r")
    text = "".join(person_pages(page.parent).values())
    assert "Solid is the others, dashed what was drawn, thin" in text
    assert "the others car" in text
    assert ", gold " not in text.split('id="gallery"')[1]
