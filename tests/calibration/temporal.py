"""Calibration of the temporal statistics (AT23, AT24, AT25, AT60-AT69).

Where a figure of the specification has no bound of its own (AT60-AT69), the bound is that figure
with four Monte-Carlo standard errors of room.
"""

from __future__ import annotations

import numpy as np

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.temporal.drift import annotator_drift, track_drift
from annqc.infer.temporal.frozen import held_drawings
from annqc.infer.temporal.jitter import MARGIN as OF_JITTER
from annqc.infer.temporal.jitter import fleet_jitter, track_jitter
from annqc.infer.temporal.keyframes import integer_gap, interpolation
from annqc.infer.temporal.lag import MARGIN, annotator_lag, track_lag
from annqc.infer.temporal.leaps import find_leaps
from annqc.infer.temporal.sag import annotator_sag, track_sag
from annqc.infer.temporal.sawtooth import sawtooth
from annqc.infer.temporal.spikes import find_spikes
from annqc.infer.temporal.steps import find_steps

from .core import Run, calibrates, check_share, check_value
from .tracks import autoregressive, flat, interpolated, trailing, trajectories

BIASED = 2


def inside(found, truth):
    """Share of the groups whose interval holds the truth."""
    low, high = found.interval()
    return ((low <= truth) & (truth <= high)).mean()


def errors(rng, s, t, rho, sd, columns=2):
    """Draw (s, t, columns) errors."""
    drawn = autoregressive(rng, s * columns, t, rho, sd=sd)
    return drawn.reshape(s, columns, t).transpose(0, 2, 1)


@calibrates("AT23")
def at23(run: Run):
    n, full = run.n(3_000), 3_000
    found = track_drift(*flat(autoregressive(run.rng("drift"), n, 300, 0.8)))
    wrong = (found.p_bias() < 0.05).mean()
    size = {"n": n, "full": full, "low": 0.04, "high": 0.075}
    yield check_share("AT23", "drift of a track, T=300, AR .8", "P(p<.05)", wrong, **size)


@calibrates("AT24")
def at24(run: Run):
    n, full = run.n(800), 800
    for kind, rho in (("normal", 0.0), ("t3", 0.0), ("normal", 0.8)):
        rng = run.rng("steps", kind, rho)
        rows = flat(autoregressive(rng, n, 300, rho, kind=kind))
        wrong = (find_steps(*rows, tolerance=0.0).n_steps > 0).mean()
        words = f"steps, T=300, {kind}, AR {rho:g}"
        yield check_share("AT24", words, "tracks with an alarm", wrong, n=n, full=full, high=0.02)


@calibrates("AT25")
def at25(run: Run):
    n, full, tracks, lag = run.n(1_000), 1_000, 8, 1
    rng = run.rng("lag")
    now, then = trailing(trajectories(rng, n * tracks, 120 + lag), lag)
    gold = now + rng.standard_normal(now.shape)
    y, frame, starts = flat(then + errors(rng, n * tracks, 120, 0.5, 1.5) - gold)
    of_track = track_lag(y, flat(gold)[0], frame, starts)
    found = annotator_lag(of_track, np.repeat(np.arange(n), tracks), n)
    words = "lag of 1 frame, gold noise 1 px, 8 x 120 frames"
    yield check_value("AT25", words, "mean", found.estimate.mean(), low=0.95, high=1.0)
    covered = inside(found, lag)
    yield check_share("AT25", words, "coverage", covered, n=n, full=full, low=0.92)


@calibrates("AT60")
def at60(run: Run):
    n, full, longest = run.n(4_000), 4_000, 150
    for tracks in (5, 20):
        for rho in (0.8, 0.95):
            rng = run.rng("annotator drift", tracks, rho)
            y = autoregressive(rng, n * tracks, longest, rho)
            y[np.arange(longest) >= rng.integers(60, longest + 1, (n * tracks, 1))] = np.nan
            found = annotator_drift(track_drift(*flat(y)), np.repeat(np.arange(n), tracks), n)
            words = f"drift of an annotator, {tracks} tracks of 60-150, AR {rho:g}"
            wrong = (found.p_bias() < 0.05).mean()
            size = {"n": n, "full": full}
            yield check_share("AT60", words, "P(p<.05)", wrong, high=0.060, **size)
            yield check_share("AT60", words, "P(p<.05)", wrong, low=0.008, **size)


@calibrates("AT61")
def at61(run: Run):
    n, full = run.n(2_000), 2_000
    cells = (
        ("white noise", 200, "normal", 0.0, 1.00, 0.02, 0.13),
        ("white noise", 20, "normal", 0.0, 1.03, 0.04, 0.36),
        ("t3", 200, "t3", 0.0, 0.76, 0.03, 0.13),
        ("AR .5", 200, "normal", 0.5, 0.64, 0.02, 0.13),
    )
    for words, t, kind, rho, mean, room, spread in cells:
        rng = run.rng("jitter", words, t)
        found = track_jitter(*flat(autoregressive(rng, n, t, rho, kind=kind))).sd
        extra = found.std() * np.sqrt(1 / n - 1 / full)
        at = {"extra_se": extra, "low": mean - room, "high": mean + room}
        yield check_value("AT61", f"jitter of 1 px, {words}, T={t}", "mean", found.mean(), **at)
        yield check_value("AT61", f"jitter of 1 px, {words}, T={t}", "sd", found.std(), high=spread)
    rng = run.rng("jitter without gold")
    path = trajectories(rng, n, 200, columns=1)
    found = track_jitter(*flat(path + rng.standard_normal(path.shape)), order=3).sd
    extra = found.std() * np.sqrt(1 / n - 1 / full)
    at = {"extra_se": extra, "low": 0.98, "high": 1.02}
    yield check_value("AT61", "jitter of 1 px, no gold, T=200", "mean", found.mean(), **at)


@calibrates("AT62")
def at62(run: Run):
    n = run.n(400)
    for gap, expected in ((5, 0.80), (10, 0.91), (20, 0.95), (0, 0.0)):
        rng = run.rng("keyframes", gap)
        drawn = trajectories(rng, n, 200, columns=4)
        drawn += rng.standard_normal(drawn.shape)
        boxes = interpolated(drawn, gap) if gap else drawn
        found = interpolation(*flat(boxes))
        words = f"keyframes every {gap} frames" if gap else "hand-drawn"
        at = {"low": expected - 0.01, "high": expected + 0.01}
        yield check_value("AT62", f"{words}, float", "f0", found.f0.mean(), **at)
        if gap:
            exact = (found.gap == gap).mean()
            yield check_value("AT62", f"{words}, float", "exact gap", exact, low=0.99)
        else:
            accused = found.interpolated.mean()
            yield check_value("AT62", f"{words}, float", "called interpolated", accused, high=0.0)
        group = np.arange(n) // 10
        mode = integer_gap(*flat(np.round(boxes)), group, group[-1] + 1).mode
        right = (mode == gap).mean()
        yield check_value("AT62", f"{words}, whole pixels", "mode of 10 tracks", right, low=0.99)


@calibrates("AT63")
def at63(run: Run):
    n, full, t = run.n(1_000), 1_000, 120
    for gap, of_drawn, of_hand in ((5, 0.43, 0.22), (10, 0.15, 0.06), (20, 0.05, 0.02)):
        rng = run.rng("sag", gap)
        gold = trajectories(rng, n, t, columns=4)
        drawn = gold + rng.standard_normal(gold.shape)
        keyframe = np.zeros((n, t), dtype=bool)
        keyframe[:, ::gap] = keyframe[:, -1] = True
        for words, boxes, truth, spread in (
            ("interpolated", interpolated(drawn, gap), 1.0, of_drawn),
            ("hand-drawn", drawn, 0.0, of_hand),
        ):
            y, frame, starts = flat(boxes - gold)
            share = track_sag(y, flat(gold)[0], keyframe.ravel(), frame, starts).share
            extra = share.std() * np.sqrt(1 / n - 1 / full)
            room = 4 * of_drawn / np.sqrt(full)
            at = {"extra_se": extra, "low": truth - room, "high": truth + room}
            scenario = f"sag, {words}, keyframes every {gap}"
            yield check_value("AT63", scenario, "mean of c", share.mean(), **at)
            yield check_value("AT63", scenario, "sd of c", share.std(), high=1.25 * spread)


@calibrates("AT64")
def at64(run: Run):
    n, full = run.n(2_000), 2_000
    for jump, rho, low in ((6, 0.0, 0.80), (6, 0.5, 0.44), (8, 0.0, 0.96), (8, 0.5, 0.86)):
        rng = run.rng("jump", jump, rho)
        y = autoregressive(rng, n, 100, rho)
        y[:, 50:] += jump
        found = find_steps(*flat(y), tolerance=0.0)
        near = np.abs(found.frame - 50) <= 4
        seen = len(np.unique(found.series[near])) / n
        words = f"jump of {jump} sd, T=100, AR {rho:g}"
        yield check_share("AT64", words, "seen", seen, n=n, full=full, low=low)
    for rho in (0.0, 0.8):
        rows = flat(autoregressive(run.rng("spikes", rho), n, 100, rho))
        wrong = (find_spikes(*rows, tolerance=0.0).n_spikes > 0).mean()
        words = f"spikes, T=100, AR {rho:g}"
        yield check_share("AT64", words, "tracks with a spike", wrong, n=n, full=full, high=0.002)


@calibrates("AT65")
def at65(run: Run):
    """Plant one mistake at a time in annotators of ten tracks, and look for it."""
    n, full, tracks, t = run.n(500), 500, 10, 200
    m = n * tracks
    of = np.repeat(np.arange(n), tracks)
    rng = run.rng("planted")
    now, then = trailing(trajectories(rng, m, t + 2, columns=4), 2)
    noise = errors(rng, m, t, 0.5, 1.0, columns=4)
    frames, size = np.arange(t), {"n": n, "full": full, "low": 0.91}

    y, frame, starts = flat(then + noise - now)
    centre = (y[:, :2] + y[:, 2:]) / 2, flat((now[..., :2] + now[..., 2:]) / 2)[0]
    found = annotator_lag(track_lag(*centre, frame, starts), of, n)
    yield check_share("AT65", "planted lag of 2 frames", "coverage", inside(found, 2.0), **size)
    named = (found.verdict(MARGIN) == BIASED).mean()
    yield check_share("AT65", "planted lag of 2 frames", "named", named, n=n, full=full, low=0.98)

    y = flat(noise[..., 0] + 0.05 * frames)[0]
    found = annotator_drift(track_drift(y, frame, starts), of, n)
    words = "planted drift of 5 px in 100 frames"
    yield check_share("AT65", words, "coverage", inside(found, 5.0), **size)
    named = (found.verdict(1.0) == BIASED).mean()
    yield check_share("AT65", words, "named", named, n=n, full=full, low=0.98)

    at = rng.integers(20, t - 20, m)
    y = flat(noise[..., 0] + 15.0 * (frames >= at[:, None]))[0]
    steps = find_steps(y, frame, starts)
    near = np.abs(steps.frame - at[steps.series]) <= 3
    seen = len(np.unique(steps.series[near])) / m
    yield check_share("AT65", "planted jump of 15 px", "seen", seen, n=n, full=full, low=0.98)
    yield check_value("AT65", "planted jump of 15 px", "others", (~near).mean(), high=0.01)
    typical = np.median(steps.size)
    yield check_value("AT65", "planted jump of 15 px", "median", typical, low=14.5, high=15.7)

    teams = max(n // 10, 1)
    sd = np.where(np.arange(teams * 10) % 10 == 0, 2.0, 1.0)
    drawn = np.repeat(sd, tracks)[:, None, None] * rng.standard_normal((teams * 10 * tracks, t, 2))
    covered = []
    for team in range(teams):
        rows = flat(drawn[team * 10 * tracks : (team + 1) * 10 * tracks])
        found = fleet_jitter(track_jitter(*rows), np.repeat(np.arange(10), tracks), 10)
        low, high = found.interval()
        covered.append((low[0] <= np.log(2)) & (np.log(2) <= high[0]))
    part = {"n": teams, "full": full // 10, "low": 0.83}
    yield check_share("AT65", "planted jitter of 2 px", "coverage", np.mean(covered), **part)

    held = np.repeat(now[:, :1], t, axis=1)
    found = held_drawings(flat(held)[0], frame, starts, flat(now)[0])
    seen = (found.frozen & found.whole).mean()
    yield check_value("AT65", "planted frozen box", "seen", seen, low=0.99)
    free = held_drawings(flat(now + noise)[0], frame, starts, flat(now)[0])
    yield check_value("AT65", "none frozen", "seen", free.frozen.mean(), high=0.0)

    boxes = interpolated(now + noise, 10)
    found = interpolation(flat(boxes)[0], frame, starts)
    exact = (found.interpolated & (found.gap == 10)).mean()
    yield check_value("AT65", "planted keyframes every 10", "exact", exact, low=0.99)
    sag = track_sag(flat(boxes - now)[0], flat(now)[0], found.keyframe, frame, starts)
    share = annotator_sag(sag, of, n)
    yield check_share("AT65", "planted keyframes every 10", "coverage", inside(share, 1.0), **size)


@calibrates("AT66")
def at66(run: Run):
    """Ask what annotators without any of these mistakes are accused of."""
    n, full, tracks, t = run.n(1_000), 1_000, 8, 150
    of = np.repeat(np.arange(n), tracks)
    rng = run.rng("innocent")
    gold = trajectories(rng, n * tracks, t)
    y, frame, starts = flat(errors(rng, n * tracks, t, 0.8, 1.5))
    lag = annotator_lag(track_lag(y, flat(gold)[0], frame, starts), of, n)
    drift = annotator_drift(track_drift(y[:, 0], frame, starts), of, n)
    size = {"n": n, "full": full}
    for words, found in (("lag", lag), ("drift", drift)):
        wrong = (found.p_bias() < 0.05).mean()
        yield check_share("AT66", f"no {words}, 8 x 150", "P(p<.05)", wrong, high=0.08, **size)
    wrong = (lag.verdict(MARGIN) == BIASED).mean()
    yield check_share("AT66", "no lag, margin of half a frame", "named", wrong, high=0.01, **size)


@calibrates("AT67")
def at67(run: Run):
    n, full, t = run.n(2_000), 2_000, 60
    for tracks in (8, 15, 30):
        rng = run.rng("sawtooth", tracks)
        m = n * tracks
        y = autoregressive(rng, m, t, 0.8) + 0.5 * rng.standard_normal((m, 1))
        rows = np.repeat(np.arange(m), t)
        found = sawtooth(y.ravel(), np.tile(np.arange(t) % 10, m), rows, rows // tracks, n)
        wrong = (found.p_value < 0.05).mean()
        words, size = f"no sawtooth, {tracks} x {t}, AR .8", {"n": n, "full": full}
        yield check_share("AT67", words, "P(p<.05)", wrong, high=0.070, **size)
        yield check_share("AT67", words, "P(p<.05)", wrong, low=0.030, **size)


@calibrates("AT68")
def at68(run: Run):
    """Ask single tracks for drift that they do not have, under memories of many kinds."""
    n, full = run.n(4_000), 4_000
    for rho, white, t in (
        (0.8, 0.0, 60),
        (0.8, 0.3, 100),
        (0.8, 0.3, 300),
        (0.95, 0.0, 60),
        (0.95, 0.3, 300),
    ):
        rng = run.rng("memory", rho, white, t)
        y = autoregressive(rng, n, t, rho) + white * rng.standard_normal((n, t))
        p = track_drift(*flat(y)).p_bias()
        words = f"drift of a track, T={t}, AR {rho:g} + white {white:g}"
        size = {"n": n, "full": full}
        yield check_share("AT68", words, "P(p<.05)", (p < 0.05).mean(), high=0.075, **size)
        yield check_share("AT68", words, "P(p<.001)", (p < 0.001).mean(), high=0.005, **size)
    teams, all_teams, edges = run.n(400), 400, 200
    for rho, t in ((0.95, 60), (0.98, 100), (0.8, 60)):
        p = np.empty((teams, edges))
        rng = run.rng("after BH", rho, t)
        for team in range(teams):
            y = 2 * autoregressive(rng, edges, t, rho)
            p[team] = track_drift(*flat(y)).p_bias(2.0)
        wrong = np.mean([(adjusted_bh(one) < 0.05).any() for one in p])
        words = f"drift of 50 tracks, T={t}, AR {rho:g}, sd 2 tolerances"
        part = {"n": teams, "full": all_teams, "high": 0.06}
        yield check_share("AT68", words, "P(any)", wrong, **part)
    for t, low in ((100, 0.65), (150, 0.88), (300, 0.99)):
        rng = run.rng("power", t)
        noise = 0.95 * autoregressive(rng, n, t, 0.8) + 0.3 * rng.standard_normal((n, t))
        p = track_drift(*flat(noise + 0.05 * np.arange(t))).p_bias(1.0)
        words = f"5 px in 100 frames, noise 1 px, T={t}"
        found = (p < 0.05).mean()
        yield check_share("AT68", words, "P(p<.05)", found, n=n, full=full, low=low)


@calibrates("AT69")
def at69(run: Run):
    """Leaps without gold, and jitter beside those who drew the same."""
    n, full, t = run.n(1_000), 1_000, 300
    size = {"n": n, "full": full}
    for kind, rho, sd in (("normal", 0.0, 1.0), ("t3", 0.0, 1.7), ("normal", 0.8, 1.0)):
        rng = run.rng("leaps", kind, rho)
        noise = autoregressive(rng, 4 * n, t, rho, kind=kind, sd=sd).reshape(n, 4, t)
        boxes = trajectories(rng, n, t, columns=4) + noise.transpose(0, 2, 1)
        wrong = (find_leaps(*flat(boxes)).n_steps > 0).mean()
        words = f"leaps without gold, T={t}, {kind}, AR {rho:g}"
        yield check_share("AT69", words, "tracks with an alarm", wrong, high=0.02, **size)
        if kind == "normal" and not rho:
            boxes[:, 150:] += [25, 0, 25, 0]
            found = find_leaps(*flat(boxes), tolerance=2.0)
            near = np.abs(found.frame - 150) <= 1
            seen = len(np.unique(found.series[near])) / n
            yield check_share("AT69", "leap of 25 px, noise 1 px", "seen", seen, low=0.9, **size)
    teams, all_teams, items = run.n(400), 400, 8
    group, item = np.repeat(np.arange(4), items), np.tile(np.arange(items), 4)
    named = np.empty((teams, 4))
    for sd, words in ((1.0, "four alike"), (3.0, "one of four trembles thrice as much")):
        rng = run.rng("beside", sd)
        for team in range(teams):
            gold = rng.uniform(0.1, 1.0, (items, 1)) * rng.standard_normal((items, 100))
            own = np.where(group == 0, sd, 1.0)[:, None] * rng.standard_normal((len(group), 100))
            track = track_jitter(*flat(own + gold[item]))
            found = fleet_jitter(track, group, 4, item=item, tolerance=1.0)
            named[team] = found.verdict(OF_JITTER) == BIASED
        part = {"n": teams, "full": all_teams}
        rest = named[:, 1:].any(axis=1).mean()
        yield check_share("AT69", words, "clean ones named", rest, high=0.05, **part)
        if sd > 1:
            named_one = named[:, 0].mean()
            yield check_share("AT69", words, "named", named_one, low=0.95, **part)
