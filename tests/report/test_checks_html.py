"""The page of checks: whole, harmless, and nothing from elsewhere; its folder is only ours."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import AnnqcError
from annqc.report.checks.document import make_document
from annqc.report.checks.html import FILES, page, write_report
from annqc.report.checks.plot import PAD, WIDTH, interval_of, scale_of
from tests.report.checks_records import EVIDENCE, HOSTILE, Elements, document, record, spoiled

EMPTY = {"!doctype", "meta", "br", "rect", "line", "circle", "path"}
ADDRESSES = {"href", "src", "action", "srcset", "data", "poster", "xlink:href", "formaction"}


def test_the_page_tells_every_check():
    made = document()
    found = Elements(page(made))
    for one in made["checks"]:
        assert one["id"] in found.text
        assert all(line in found.text for line in one["sentence"].split("\n"))
    details = [attributes for tag, attributes in found.found if tag == "details"]
    assert len(details) == 9
    assert sum("open" in attributes for attributes in details) == 6
    tags = [tag for tag, _ in found.found]
    assert tags.count("h1") == 1
    assert "in tolerances; the band is what is asked" in found.text
    worst = made["checks"][0]["rows"][0]
    for ending in ("", "_px"):
        low, high = worst[f"ci_low{ending}"], worst[f"ci_high{ending}"]
        assert f"{low:.1f} to {high:.1f}".replace("-", "−") in found.text  # noqa: RUF001
    assert "clusters" not in found.text
    assert "images" in found.text


def test_every_element_is_closed():
    stack = []
    for tag, _ in Elements(page(document())).found:
        if tag in EMPTY:
            continue
        if tag.startswith("/"):
            if tag not in {"/rect", "/line", "/circle", "/path"}:
                assert stack.pop() == tag[1:]
        else:
            stack.append(tag)
    assert stack == []


def test_nothing_comes_from_elsewhere():
    text = page(document())
    found = Elements(text)
    tags = {tag for tag, _ in found.found}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    given = {value for _, name, value in found.values if name in ADDRESSES}
    assert given == {"checks.json", "checks.sarif", "summary.md"}
    assert not re.search(r"url\(|@import|\son\w+=|style=", text)
    policy = next(value for _, _, value in found.values if value and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")


def test_a_run_is_linked_only_where_its_address_is_safe():
    made = document()
    for address, linked in (("https://ci.example/1", True), ("javascript:alert(1)", False)):
        made["provenance"]["run_url"] = address
        found = Elements(page(made))
        assert (address in {value for _, name, value in found.values if name == "href"}) == linked


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_do_no_harm(text):
    keep_to_the_shape(text)


@given(st.text(min_size=1, max_size=60))
def test_any_text_does_no_harm(text):
    keep_to_the_shape(text)


def keep_to_the_shape(text):
    breaks = ("br", ())
    written = page(spoiled(text))
    shape = [one for one in Elements(written).found if one != breaks]
    tame = [one for one in Elements(page(spoiled("tame"))).found if one != breaks]
    assert shape == tame
    assert all(line.isprintable() for line in written.split("\n"))


def test_groups_without_an_annotator_are_named_by_what_they_have():
    one = record("precision")
    value = one["rows"][0]["group"]["category"]
    assert f"category {value}" in Elements(page(make_document([one]))).text


def test_long_lists_are_cut_and_counted():
    one = record("no-edge-bias-by-size")
    text = Elements(page(make_document([one]))).text
    assert one["n_rows"] == 48
    assert "28 more" in text
    assert "not kept here" not in text
    for row in one["rows"]:
        assert f"size {row['group']['size']}" in text
    cut = Elements(page(make_document([one | {"n_rows": 700}]))).text
    assert "and 652 more that are not kept here; annqc audit --json FILE writes all 700" in cut


def test_offsets_are_drawn_against_the_tolerance():
    one = record("no-edge-bias")
    scale = scale_of(one, one["rows"])
    assert scale.marks == (scale.at(-1), scale.at(0), scale.at(1))
    assert {(scale.at(-1), "−1"), (scale.at(0), "0")} <= set(scale.labels)  # noqa: RUF001
    left, right = scale.good
    assert scale.at(0) == pytest.approx((left + right) / 2, abs=0.1)
    for row in one["rows"]:
        drawn = interval_of(row, scale)
        assert PAD <= drawn.low < drawn.dot < drawn.high <= WIDTH - PAD
        assert (left <= drawn.dot <= right) == (abs(row["estimate"]) <= 1)


def test_rates_are_drawn_against_the_limit():
    one = record("recall")
    scale = scale_of(one, one["rows"])
    assert scale.marks == (scale.at(0.97),)
    assert (scale.at(0.97), "0.97") in scale.labels
    assert scale.good == (scale.at(0.97), WIDTH)
    low = {**one, "at_least": None, "at_most": 0.2}
    assert scale_of(low, one["rows"]).good[0] == 0


def test_what_cannot_be_drawn_is_left_out():
    one = record("no-such-column")
    assert scale_of(one, one["rows"]) is None
    row = record("recall")["rows"][0]
    bare = {**row, "ci_low": None, "ci_high": None}
    scale = scale_of(record("recall"), [bare])
    assert interval_of(bare, scale).low is None
    assert interval_of({**row, "estimate": None}, scale) is None
    same = [{**row, "estimate": 0.97, "ci_low": 0.97, "ci_high": 0.97}]
    assert interval_of(same[0], scale_of(record("recall"), same)).dot == WIDTH / 2


def test_counts_and_changes_are_drawn_too():
    one = record("recall") | {"at_least": None, "at_most": 3.0}
    rows = [{**row, "count": k * 4} for k, row in enumerate(one["rows"])]
    for row in rows:
        for name in ("estimate", "ci_low", "ci_high"):
            del row[name]
    scale = scale_of(one, rows)
    assert scale.good == (0.0, scale.at(3))
    assert [interval_of(row, scale).dot > scale.at(3) for row in rows] == [False, True, True, True]
    counted = Elements(page(make_document([one | {"rows": rows}])))
    assert "count" in counted.text
    assert "estimate" not in counted.text.partition("Only pass")[0]

    one |= {"at_most": None, "no_worse_than": "baseline", "margin": 0.01}
    rows = [{**row, "change": -0.1} for row in rows]
    scale = scale_of(one, rows)
    assert scale.good is None
    assert scale.marks == (scale.at(0),)
    assert interval_of(rows[0], scale).dot < scale.at(0)


def test_a_report_is_four_files(tmp_path):
    made = document()
    index = write_report(made, tmp_path / "report")
    assert index == tmp_path / "report" / "index.html"
    assert sorted(one.name for one in index.parent.iterdir()) == sorted(FILES)
    assert json.loads((index.parent / "checks.json").read_text(encoding="utf-8")) == made
    again = make_document([record("overlap")])
    write_report(again, tmp_path / "report")
    assert "recall" not in index.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["report"]


def test_what_is_not_ours_stays(tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    write_report(document(), folder)
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", FILES)
def test_a_foreign_file_is_not_overwritten(tmp_path, name):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(AnnqcError, match=f"(?s)no report of annqc.*{name}"):
        write_report(document(), folder)
    assert [one.name for one in folder.iterdir()] == [name]
    assert (folder / name).read_text() == "mine"


def test_links_are_not_followed_out_of_the_folder(tmp_path):
    folder = tmp_path / "report"
    write_report(document(), folder)
    aim = tmp_path / "aim.html"
    aim.write_bytes((folder / "index.html").read_bytes())
    (folder / "index.html").unlink()
    (folder / "index.html").symlink_to(aim)
    with pytest.raises(AnnqcError, match="would be overwritten"):
        write_report(make_document([]), folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(AnnqcError, match="a file or a link"):
        write_report(make_document([]), link)
    with pytest.raises(AnnqcError, match="no such folder"):
        write_report(make_document([]), tmp_path / "nowhere" / "report")


def test_evidence_and_commands_are_shown():
    one = record("recall") | {"evidence": [EVIDENCE], "why": "it matters"}
    one["reproduce"] = ["pytest a.annqc.toml::recall"]
    text = Elements(page(make_document([one]))).text
    for part in (EVIDENCE["text"], "Why: it matters", "pytest a.annqc.toml::recall\n"):
        assert part in text


def offset_rows(*intervals):
    """Return rows of offsets: estimate and ends of the interval, in tolerances."""
    one = record("no-edge-bias")["rows"][0]
    return [
        {**one, "estimate": value, "ci_low": low, "ci_high": high} for value, low, high in intervals
    ]


def test_what_is_far_off_is_cut_and_marked_and_squashes_nothing():
    rows = offset_rows((3, 2, 4), (-2, -4, 0), (1, -500, 600), (4000, None, None))
    scale = scale_of(record("no-edge-bias"), rows)
    drawn = [interval_of(row, scale) for row in rows]
    assert [one.beyond for one in drawn] == [(), (), ("left", "right"), ("right",)]
    assert drawn[2].low == PAD
    assert drawn[2].high == drawn[3].dot == WIDTH - PAD
    left, right = scale.good
    assert right - left > 15  # pixels
    text = page(make_document([record("no-edge-bias") | {"rows": rows}]))
    assert text.count('class="arrow"') == 3


def test_groups_of_like_size_are_not_cut():
    for rows in (
        offset_rows((-25, -35, -12), (12, 1, 22), (3, 2, 4)),
        record("recall")["rows"],
        record("no-edge-bias-by-size")["rows"],
    ):
        scale = scale_of(record("no-edge-bias"), rows)
        assert {interval_of(row, scale).beyond for row in rows} == {()}


@given(
    st.lists(
        st.tuples(st.floats(-1e5, 1e5), st.floats(0, 1e5), st.floats(0, 1e5)),
        min_size=1,
        max_size=30,
    )
)
def test_labels_never_touch_and_everything_is_within(given_rows):
    rows = offset_rows(*((value, value - low, value + high) for value, low, high in given_rows))
    scale = scale_of(record("no-edge-bias"), rows)
    spans = [(at - 3 * len(text), at + 3 * len(text)) for at, text in scale.labels]
    assert all(a[1] + 5 < b[0] for a, b in pairwise(spans))
    assert any(text in {"±1", "1"} for _, text in scale.labels)
    for row in rows:
        drawn = interval_of(row, scale)
        assert PAD <= drawn.low <= drawn.dot <= drawn.high <= WIDTH - PAD


def test_every_unit_has_its_column_and_the_first_is_that_of_the_drawing():
    one = record("no-edge-bias")
    row = {**one["rows"][0], "estimate": 4.54, "ci_low": 3.06, "ci_high": 1234.5}
    row |= {"estimate_px": 11.44, "ci_low_px": 8.0, "ci_high_px": 14.88}
    row |= {"estimate_rel": 0.0921, "ci_low_rel": 0.062, "ci_high_rel": 0.123, "n_clusters": 1234}
    text = page(make_document([one | {"rows": [row], "n_rows": 1}]))
    heads = re.findall(r'<th class="n">(.*?)</th>', text)
    assert heads == ["in tolerances", "in px", "in % of the side", "images"]
    cells = re.findall(
        r'<td class="n" data-label="(.*?)">(.*?)(?: <small>(.*?)</small>)?</td>', text
    )
    assert cells == [
        ("in tolerances", "4.5", "3.1 to 1,234.5"),
        ("in px", "11.4", "8.0 to 14.9"),
        ("in % of the side", "9.2", "6.2 to 12.3"),
        ("images", "1,234", ""),
    ]
    video = row | {"text": "ann draws (3 images or tracks)"}
    text = page(make_document([one | {"rows": [video], "n_rows": 1}]))
    assert '<th class="n">images or tracks</th>' in text
    rates = page(make_document([record("recall")]))
    assert re.findall(r'<th class="n">(.*?)</th>', rates) == ["estimate", "images"]
