"""A queue in the files of annotation tools, and links into them."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.errors import AnnqcError, SpecError, TableError, UnknownNameError
from annqc.report.review.links import LinkPattern
from annqc.report.review.screen import review_screen
from annqc.report.terminal import make_console
from annqc.simulate import tracks
from annqc.write import write_coco

ODD = ["a b.jpg", 'say "cheese" & <b>.png', "../../etc/passwd", "räksmörgås/ü 字.jpg", "c%20d.jpg"]


@pytest.fixture(scope="module")
def audit():
    fleet = {"ann": Habit.parse("gross 5 %, misses 5 %"), "bob <i>": Habit.parse("extras 5 %")}
    made = annqc.simulate(fleet, n_images=5, boxes_per_image=20, rng=1)
    images = replace(made.work.image_table, file_name=np.array(ODD, dtype=object))
    return annqc.audit(*(replace(one, image_table=images) for one in (made.work, made.gold)))


@pytest.fixture(scope="module")
def queue(audit):
    return audit.review(top=25)


def test_the_coco_subset_loads_with_pycocotools(queue, tmp_path):
    pycocotools = pytest.importorskip("pycocotools.coco")
    path = queue.to_coco(tmp_path / "q.json")
    loaded = pycocotools.COCO(str(path))
    assert len(loaded.anns) == len(queue) == len(loaded.getAnnIds())
    by_rank = sorted(loaded.anns.values(), key=lambda one: one["review_rank"])
    assert [one["review_text"] for one in by_rank] == queue.columns["text"].tolist()
    assert {one["file_name"] for one in loaded.imgs.values()} <= set(ODD)
    drawn = [one for one in by_rank if one["annotator"] != "(gold)"]
    assert [one["id"] for one in drawn] == [one["review_annotation_id"] for one in drawn]
    missed = [one for one in by_rank if one["review_kind"] == "missed"]
    assert missed
    assert all(one["annotator"] == "(gold)" and one["review_annotator"] for one in missed)


@pytest.mark.parametrize("way", ["to_coco", "to_cvat"])
def test_it_reads_back_with_all_boxes_and_reasons(queue, tmp_path, way):
    again = annqc.read(getattr(queue, way)(tmp_path / "q.out"))
    assert not [one for one in again.issues if one.severity == "dropped"]
    rank = again.table.extra["review_rank"].astype(int)
    order = np.argsort(rank)
    boxes = np.stack([queue.columns[name] for name in ("x1", "y1", "x2", "y2")], axis=1)
    np.testing.assert_allclose(again.table.xyxy[order], boxes, rtol=1e-12)
    texts = again.table.extra["review_text"][order].tolist()
    assert texts == queue.columns["text"].tolist()
    assert set(again.image_table.file_name.tolist()) <= set(ODD)
    assert set(again.annotator_ids.tolist()) == {"ann", "bob <i>", "(gold)"}


def test_label_studio_tasks_read_back_and_have_the_documented_shape(queue, tmp_path):
    path = queue.to_label_studio(tmp_path / "ls.json")
    tasks = json.loads(path.read_text(encoding="utf-8"))
    assert len(tasks) == len(set(queue.columns["image_id"].tolist()))
    for task in tasks:
        assert set(task) == {"id", "data", "annotations", "predictions"}
        assert isinstance(task["data"]["image"], str)
        for several in (task["annotations"], task["predictions"]):
            for one in several:
                ids = [region["id"] for region in one["result"]]
                assert len(set(ids)) == len(ids)
                for region in one["result"]:
                    check_region(region)
        assert all(isinstance(one["model_version"], str) for one in task["predictions"])
    again = annqc.read(path)
    drawn = queue.subset.drawn
    assert not again.issues
    assert sorted(again.table.xyxy.round(6).tolist()) == sorted(drawn.table.xyxy.round(6).tolist())
    assert set(again.annotator_ids.tolist()) == {"ann", "bob <i>"}
    assert (again.image_table.width[np.unique(again.table.image)] == 1920).all()
    assert set(again.table.extra["text"]) <= set(queue.columns["text"])


def test_label_studio_is_told_where_the_images_are(queue, tmp_path):
    pattern = "/data/local-files/?d=photos/{file_name}"
    path = queue.to_label_studio(tmp_path / "ls.json", images=pattern)
    for task in json.loads(path.read_text(encoding="utf-8")):
        image, name = task["data"]["image"], task["data"]["file_name"]
        assert image == (name if ".." in name else LinkPattern.parse(pattern).fill(task["data"]))
    assert set(annqc.read(path).image_table.file_name.tolist()) <= set(ODD)
    with pytest.raises(SpecError, match="no pattern for links"):
        queue.to_label_studio(tmp_path / "no.json", images="javascript:{file_name}")


def check_region(region):
    assert region["type"] == "rectanglelabels"
    assert (region["from_name"], region["to_name"]) == ("label", "image")
    assert (region["original_width"], region["original_height"]) == (1920, 1080)
    value = region["value"]
    assert set(value) == {"x", "y", "width", "height", "rotation", "rectanglelabels"}
    assert all(0 <= value[k] <= 100 for k in ("x", "y", "width", "height"))
    assert value["x"] + value["width"] <= 100 + 1e-9
    assert len(value["rectanglelabels"]) == 1
    assert all(isinstance(one, str) for one in region["meta"]["text"])


def test_fiftyone_samples_have_relative_boxes(queue, tmp_path):
    document = json.loads(queue.to_fiftyone(tmp_path / "fo.json").read_text(encoding="utf-8"))
    assert document["media_type"] == "image"
    found = []
    for sample in document["samples"]:
        assert sample["filepath"] in ODD
        assert sample["metadata"] == {"_cls": "ImageMetadata", "width": 1920, "height": 1080}
        for field in ("review", "reference"):
            assert sample[field]["_cls"] == "Detections"
        for one in sample["review"]["detections"]:
            assert one["_cls"] == "Detection"
            x, y, w, h = np.array(one["bounding_box"]) * [1920, 1080, 1920, 1080]
            found.append((one["review_rank"], x, y, x + w, y + h))
    boxes = np.stack([queue.columns[k] for k in ("rank", "x1", "y1", "x2", "y2")], axis=1)
    np.testing.assert_allclose(sorted(found), boxes, rtol=1e-9)


def test_the_table_has_a_line_a_row_whatever_the_names(audit, tmp_path):
    queue = audit.review(top=25, url="https://x.org/{image_id}/{file_name}")
    with queue.to_csv(tmp_path / "q.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["rank"]) for row in rows] == list(range(1, 26))
    assert [row["file_name"] for row in rows] == queue.columns["file_name"].tolist()
    for row in rows:
        assert (row["url"] == "") == (".." in row["file_name"])


def test_names_from_the_data_name_no_file(queue, tmp_path):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    for way in ("csv", "coco", "cvat", "label_studio", "fiftyone"):
        getattr(queue, f"to_{way}")(inside / f"q.{way}")
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(
        f"q.{way}" for way in ("csv", "coco", "cvat", "label_studio", "fiftyone")
    )


def test_inputs_are_spared_and_folders_are_not_made(audit, tmp_path):
    write_coco(audit.work, tmp_path / "work.json")
    queue = annqc.audit(tmp_path / "work.json", audit.gold).review(top=1)
    for way in ("csv", "coco", "cvat", "label_studio", "fiftyone"):
        write = getattr(queue, f"to_{way}")
        with pytest.raises(AnnqcError, match="overwrite an input"):
            write(tmp_path / "work.json")
        with pytest.raises(AnnqcError, match="no such folder"):
            write(tmp_path / "there" / "q")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["work.json"]


@pytest.mark.parametrize("way", ["to_label_studio", "to_fiftyone"])
def test_images_of_unknown_size_are_named(audit, tmp_path, way):
    unknown = np.full(5, np.nan)
    sides = [
        replace(one, image_table=replace(one.image_table, width=unknown, height=unknown))
        for one in (audit.work, audit.gold)
    ]
    queue = annqc.audit(*sides).review(top=25)
    with pytest.raises(TableError, match="sizes are not known") as refused:
        getattr(queue, way)(tmp_path / "q")
    assert "../../etc/passwd" in str(refused.value)
    assert "--image-sizes" in str(refused.value)
    assert not list(tmp_path.iterdir())
    assert len(annqc.read(queue.to_coco(tmp_path / "q.json"))) == 25


def test_sizes_that_the_gold_lacks_are_taken_from_the_work(audit, tmp_path):
    unknown = np.full(5, np.nan)
    images = replace(audit.gold.image_table, width=unknown, height=unknown)
    queue = annqc.audit(audit.work, replace(audit.gold, image_table=images)).review(top=10)
    assert len(annqc.read(queue.to_label_studio(tmp_path / "q.json"))) > 0


def test_an_empty_queue_writes_files_of_nothing(audit, tmp_path):
    queue = annqc.audit(audit.gold, audit.gold).review()
    assert json.loads(queue.to_coco(tmp_path / "q.json").read_text())["annotations"] == []
    assert json.loads(queue.to_label_studio(tmp_path / "ls.json").read_text()) == []
    assert json.loads(queue.to_fiftyone(tmp_path / "fo.json").read_text())["samples"] == []
    assert b"<annotations>" in queue.to_cvat(tmp_path / "q.xml").read_bytes()
    assert queue.to_csv(tmp_path / "q.csv").read_text().startswith("rank,gain,")
    console = make_console(width=80)
    with console.capture() as shown:
        review_screen(console, queue)
    assert "nothing that is worth a look" in shown.get()


def test_frames_of_videos_become_cvat_for_video(tmp_path):
    made = tracks({"ann": [], "bob": []}, n_sequences=2, n_tracks=2, n_frames=20, rng=1)
    queue = annqc.audit(made.work, made.gold).review(top=30, url="t/{frame}")
    path = queue.to_cvat(tmp_path / "q.xml")
    assert "<track" in path.read_text(encoding="utf-8")
    again = annqc.read(path)
    assert len(again) == len(queue) > 4
    assert set(again.table.extra["review_text"]) == set(queue.columns["text"])
    assert queue.columns["url"][0] == f"t/{queue.columns['frame'][0]}"


def test_without_gold_queues_load_too(audit, tmp_path):
    fleet = {"a": Habit.parse("gross 9 %"), "b": [], "c": Habit.misses(0.1)}
    made = annqc.simulate(fleet, n_images=10, rng=1)
    queue = annqc.audit(made.work).review(top=20)
    again = annqc.read(queue.to_coco(tmp_path / "q.json"))
    assert len(again) == 20
    assert len(set(again.image_table.id.tolist())) == len(again.image_table)
    assert set(again.annotator_ids.tolist()) <= {"a", "b", "c", "(consensus)"}
    assert len(annqc.read(queue.to_label_studio(tmp_path / "ls.json"))) == len(queue.subset.drawn)


@pytest.mark.parametrize(
    "pattern",
    [
        "javascript:alert({image_id})",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,{file_name}",
        "file:///{file_name}",
        "vbscript:x",
        "//evil.org/{image_id}",
        "\\\\evil\\{image_id}",
        "{image_id}:alert(1)",
        "{file_name}:{image_id}",
        "https://{file_name}/x",
        "https://x.org{file_name}",
        "https:///{file_name}",
        "http://x.org:{frame}/",
        "https:{file_name}",
        "ftp://x.org/{image_id}",
        "",
        "x/{image_id",
        "x/}{image_id}",
        "a b/{image_id}",
        "cvat.example/tasks/3?frame={image_id}",
        "cvat.example?frame={image_id}",
        "www.cvat.example",
        "www.cvat.example/",
        "photos.v2/{file_name}",
        "page.html/{image_id}",
    ],
)
def test_patterns_that_could_run_or_read_something_are_refused(pattern, audit):
    with pytest.raises(SpecError, match="no pattern for links"):
        LinkPattern.parse(pattern)
    with pytest.raises(SpecError):
        audit.review(url=pattern)


@pytest.mark.parametrize(
    "pattern", ["x/{image}", "x/{}", "x/{image_id!r}", "x/{frame:>9}", "x/{image_id.__class__}"]
)
def test_fields_that_there_are_not_are_refused(pattern):
    with pytest.raises(UnknownNameError, match="file_name"):
        LinkPattern.parse(pattern)


@pytest.mark.parametrize(
    ("pattern", "link"),
    [
        ("https://x.org/{image_id}", "https://x.org/a%2Fb"),
        (
            "http://x.org:8080/t?f={frame}&i={annotation_id}#{frame}",
            "http://x.org:8080/t?f=3&i=%22%3E#3",
        ),
        ("HTTPS://x.org/{file_name}", "HTTPS://x.org/a/%C3%BC%20%26%3C.jpg"),
        ("{file_name}", "a/%C3%BC%20%26%3C.jpg"),
        ("../images/{file_name}?a:b", "../images/a/%C3%BC%20%26%3C.jpg?a:b"),
        ("view/{{{image_id}}}", "view/{a%2Fb}"),
        ("index.html", "index.html"),
        ("index.html?f={frame}", "index.html?f=3"),
        ("./x.org/{frame}", "./x.org/3"),
        ("../x.org/{frame}", "../x.org/3"),
        ("view/x.org/{frame}", "view/x.org/3"),
        ("{frame}.html", "3.html"),
        ("photo.{frame}.html", "photo.3.html"),
    ],
)
def test_values_are_percent_encoded(pattern, link):
    row = {"image_id": "a/b", "file_name": "a/ü &<.jpg", "frame": 3, "annotation_id": '">'}
    assert LinkPattern.parse(pattern).fill(row) == link


@pytest.mark.parametrize("name", ["../x", "a/../../x", "..", "./x", "a\\..\\x", None])
def test_what_would_lead_elsewhere_has_no_link(name):
    assert LinkPattern.parse("https://x.org/{file_name}").fill({"file_name": name}) is None


@pytest.mark.parametrize(
    "name", ["//evil.org/x", "/etc", "javascript:alert(1)", "https://evil.org"]
)
def test_a_value_alone_names_no_host_and_no_scheme(name):
    link = LinkPattern.parse("{file_name}").fill({"file_name": name})
    assert not link.startswith("/")
    assert ":" not in link


def test_a_host_without_a_scheme_is_told_how_to_go_on():
    with pytest.raises(SpecError) as refused:
        LinkPattern.parse("cvat.example/tasks/3?frame={image_id}")
    assert "https://cvat.example" in str(refused.value)
    assert "./cvat.example" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "lacks"),
    [
        ({"frame": 3, "file_name": "a.jpg"}, None),
        ({"frame": None, "file_name": "a.jpg"}, "frame"),
        ({"frame": 3}, "file_name"),
        ({"frame": 3, "file_name": "../a.jpg"}, "file_name"),
    ],
)
def test_what_a_row_lacks_for_a_link_is_known(row, lacks):
    assert LinkPattern.parse("x/{frame}/{file_name}").lacks(row) == lacks


def screen_of(queue, **more):
    console = make_console(width=80)
    with console.capture() as shown:
        review_screen(console, queue, **more)
    return " ".join(shown.get().split())


def test_rows_without_a_link_are_told_with_the_reason(audit):
    some = screen_of(audit.review(url="x/{file_name}"), url="x/{file_name}")
    assert re.search(r"[\d,]+ of [\d,]+ rows have none, for want of a value .* {file_name}", some)
    none = screen_of(audit.review(url="x?f={frame}"), url="x?f={frame}")
    assert "no row has one, for want of a value that can stand for {frame}" in none
    every = screen_of(audit.review(url="x/{image_id}"), url="x/{image_id}")
    assert "Links every row has one" in every
    assert "Links" not in screen_of(audit.review())


def fleet(n, **more):
    return annqc.simulate({f"a{k}": [] for k in range(n)}, n_images=40, rng=1, **more)


def test_the_screen_says_that_the_gold_may_be_wrong():
    made = fleet(3, gold_sd=0.5)
    said = screen_of(annqc.audit(made.work, made.gold).review())
    assert re.search(r"the annotator is wrong in .*; in the rest the gold is, or nobody", said)
    without = screen_of(annqc.audit(made.work).review())
    assert re.search(r"in the rest the consensus is, or nobody", without)
    assert "about" not in said or "are wrong" not in said


def test_where_the_number_cannot_be_trusted_it_is_not_told():
    made = fleet(1)
    assert "it cannot be told who is wrong" in screen_of(annqc.audit(made.work, made.gold).review())
    few = annqc.simulate({"a": [], "b": []}, n_images=5, rng=1)
    assert "Expected" not in screen_of(annqc.audit(few.work, few.gold).review())


def test_without_gold_it_is_the_consensus_that_has_objects():
    work = annqc.simulate(
        {"a": Habit.parse("misses 9 %, extras 9 %"), "b": [], "c": []}, n_images=20, rng=1
    ).work
    queue = annqc.audit(work).review(top=30)
    said = screen_of(queue, everything=True)
    assert "the consensus's" in said
    assert "gold" not in said.replace("no gold: compared with a consensus of the others", "")
