"""Gold that cannot be read accuses nobody: its image is left out, and the file is named."""

import numpy as np
import pytest

import annqc
from annqc.report.terminal import render

SIZE = 64


def mask(path, box):
    image = pytest.importorskip("PIL.Image")
    pixels = np.zeros((SIZE, SIZE), dtype=np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(pixels).save(path)


@pytest.fixture
def masks(tmp_path):
    for who in ("gold", "work/ann", "work/bob"):
        for k in range(6):
            mask(tmp_path / who / f"seg_{k}.png", (10 + k, 12, 40, 44))
    return tmp_path


def test_a_damaged_mask_of_the_gold_accuses_nobody(masks):
    lost = masks / "gold" / "seg_3.png"
    lost.write_bytes(lost.read_bytes()[:60])
    audit = annqc.audit(masks / "work", masks / "gold")
    assert len(audit.errors()) == 0
    scores = audit.scores().set_index("annotator")
    assert scores.loc[["ann", "bob"], ["n_images", "precision"]].to_numpy().tolist() == [[5, 1]] * 2
    (found,) = [one for one in audit.issues if one.kind == "unreadable_gold"]
    assert (found.source, found.image_id) == (str(lost), "seg_3")
    said = " ".join(render(audit, width=400).split())
    assert "the gold of image 'seg_3' is left out" in said
    assert "without work to compare" not in said


def test_a_damaged_mask_of_the_work_is_not_held_against_the_gold(masks):
    lost = masks / "work" / "ann" / "seg_3.png"
    lost.write_bytes(lost.read_bytes()[:60])
    audit = annqc.audit(masks / "work", masks / "gold")
    scores = audit.scores().set_index("annotator")
    assert scores["n_images"].to_dict() == {"ann": 5, "bob": 6}
    assert "unreadable_gold" not in {one.kind for one in audit.issues}


def yolo(folder, lines):
    folder.mkdir(parents=True)
    for k in range(6):
        (folder / f"{k}.txt").write_text(lines.get(k, "0 0.5 0.5 0.3 0.3\n"))


@pytest.mark.parametrize(
    ("text", "left_out", "errors"),
    [
        ("1.5 0.5 0.5 0.3 0.3\n", True, 0),  # the file is damaged
        ("", False, 1),  # there is nothing on the image, the gold says
        ("1.5 0.5 0.5 0.3 0.3\n0 0.5 0.5 0.3 0.3\n", False, 0),  # another line can be read
    ],
)
def test_a_label_file_of_which_no_line_can_be_read(tmp_path, text, left_out, errors):
    yolo(tmp_path / "gold", {2: text})
    yolo(tmp_path / "work", {})
    audit = annqc.audit(
        tmp_path / "work",
        tmp_path / "gold",
        format="yolo",
        gold_format="yolo",
        image_sizes=(100, 100),
        annotator="=ann",
    )
    assert ("unreadable_gold" in {one.kind for one in audit.issues}) == left_out
    assert len(audit.errors()) == errors
