"""The machinery of the benchmarks, on works so small that nobody would time them."""

from __future__ import annotations

import json
import sys

import pytest

from tests.bench import auditing, findings, matching, peers, reading, timing
from tests.bench.__main__ import BENCHES, main, run
from tests.bench.report import Goal, Row, table
from tests.bench.timing import UnequalWorkError, child, interleave, launch, same
from tests.bench.works import SIZES, Works


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    return Works(SIZES["tiny"], tmp_path_factory.mktemp("bench"))


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr(timing, "TURN", 0.0)


@pytest.mark.parametrize("bench", [matching.match_w1, findings.findings, auditing.warm])
def test_every_row_has_the_time_of_annqc(works, bench):
    rows = list(bench(works))
    assert rows
    for row in rows:
        assert row.cpu > 0
        assert (row.ratio is None) == (row.peer_cpu is None)


def test_a_peer_that_is_not_installed_is_named(works, monkeypatch):
    monkeypatch.setattr(matching, "load", lambda _: None)
    rows = list(matching.evaluators(works.w1, works.size))
    text = table(rows)
    assert "pycocotools COCOeval" in text
    assert text.count("missing") == len(rows) == 2
    assert all(row.cpu > 0 and row.ratio is None for row in rows)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # surface-distance uses old names
def test_every_peer_that_is_not_installed_is_missing_for_a_reason(monkeypatch):
    for modules, group in peers.HOMES.values():
        for module in modules if group else ():  # annqc itself needs the others
            monkeypatch.setitem(sys.modules, module, None)
    rows, wrong = run(["consensus", "masks", "tracks"], SIZES["tiny"])
    assert wrong == []
    without = [row for row in rows if row.peer and row.peer_cpu is None]
    assert len({row.peer for row in without}) == 7
    assert all("import of" in row.missing for row in without)
    assert all(row.missing == "" for row in rows if row not in without)
    text = table(rows)
    assert "missing: MONAI: import of monai.metrics halted" in text
    assert "pip install --group peers-torch" in text


def test_unequal_work_is_refused(works, monkeypatch):
    if peers.load("motrics") is None:
        pytest.skip("motrics is not installed")
    monkeypatch.setattr(peers.ImageByImage, "motrics", lambda _: (1, 0, 0.5))
    monkeypatch.setitem(BENCHES, "match", matching.match_w1)
    rows, wrong = run(["match"], SIZES["tiny"])
    assert rows == []
    assert "not timed, the work is not equal" in wrong[0]


def test_values_may_differ_by_rounding_alone():
    same("a", 1.0, 1.0 + 1e-12, within=1e-9)
    with pytest.raises(UnequalWorkError):
        same("a", 1.0, 1.0 + 1e-6, within=1e-9)
    with pytest.raises(UnequalWorkError):
        same("a", 3, 4)


def test_contestants_take_turns():
    called = []
    times = interleave(
        {"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=(2, 2)
    )
    assert [one for k, one in enumerate(called) if k == 0 or called[k - 1] != one] == list("ababab")
    assert len(times.seconds["a"]) == 2


def test_a_fresh_process_tells_its_cpu_and_peak_and_not_those_of_its_parent(tmp_path):
    ballast = bytearray(120_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    done = launch(["-c", "sum(range(2_000_000)); print(7)"], tmp_path)
    assert done.value == 7
    assert 0.01 < done.cpu < 5
    assert done.peak_mb < 60
    with pytest.raises(RuntimeError, match="ended with 3"):
        launch(["-c", "raise SystemExit(3)"], tmp_path)


def test_reading_is_compared_on_equal_values(works):
    (row,) = reading.read(works)
    assert row.cpu > 0
    assert row.peak_mb > 0
    assert row.peer_peak_mb > 0
    assert list(works.folder.glob("polygons*")) == []


def test_an_audit_runs_in_a_fresh_process(works):
    gold, work = works.files("hundred")
    said = launch(child("audit", work, gold), works.folder).value
    done = auditing.whole(gold, work)
    assert said["n_matched"] == len(done.matches.matched_iou) > 0


@pytest.mark.parametrize(
    ("goal", "cpu", "ratio", "peak", "met"),
    [
        (Goal(faster=8), 1.0, 0.1, None, True),
        (Goal(faster=8), 1.0, 0.2, None, False),
        (Goal(at_most=3), 1.0, 2.9, None, True),
        (Goal(at_most=3), 1.0, 3.1, None, False),
        (Goal(cpu=1.3, faster=4), 1.4, 0.1, None, False),
        (Goal(cpu=1.3, faster=4), 1.2, None, None, None),
        (Goal(cpu=1.3, faster=4), 1.4, None, None, False),
        (Goal(peak_mb=100), 1.0, None, 99.0, True),
        (Goal(), 1.0, 0.1, None, None),
    ],
)
def test_a_goal_is_met_where_everything_asked_for_holds(goal, cpu, ratio, peak, met):
    assert Row(work="w", ours="o", cpu=cpu, ratio=ratio, goal=goal, peak_mb=peak).met is met


def test_the_command_writes_its_figures(tmp_path, monkeypatch, capsys):
    def two(_):
        yield Row(work="w", ours="o", cpu=0.5, peer="p", peer_cpu=1.0, ratio=0.5, note="so it is")
        yield Row(work="w", ours="o", cpu=0.5, peer="gone", goal=Goal(faster=2))

    monkeypatch.setitem(BENCHES, "match", two)
    path = tmp_path / "figures.json"
    assert main(["match", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "2.0x faster" in printed
    assert "missing" in printed
    assert "w: so it is" in printed
    document = json.loads(path.read_text())
    assert [row["ratio"] for row in document["rows"]] == [0.5, None]
    assert document["machine"]["python"].startswith(f"{sys.version_info.major}.")
    with pytest.raises(SystemExit):
        main(["no-such-benchmark"])
