"""The temporal statistics of one series in plain Python: slow, and easy to read."""

from __future__ import annotations

import itertools
import math
from statistics import median, median_low

import numpy as np

NAN = math.nan


def ragged(seed, s=4, k=2, longest=90, *, lost=0.1, integer=False):
    """Draw series with gaps in their frames, unusable values, and one that is empty."""
    rng = np.random.default_rng(seed)
    length = rng.integers(0, longest, s)
    length[rng.integers(0, s)] = 0
    starts = np.concatenate([[0], np.cumsum(length)])
    frame = [np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 2, 5], n)) + rng.integers(9) for n in length]
    values = rng.standard_t(3, (starts[-1], k)).cumsum(axis=0) * 0.3
    values += rng.standard_normal(values.shape)
    if integer:
        values = np.round(values)
    values[rng.random(values.shape) < lost] = NAN
    return values, np.concatenate(frame).astype(int), starts


def series_of(values, frame, starts):
    """Every column of every series: its place, and {frame: value} of usable rows."""
    for i, (begin, end) in enumerate(itertools.pairwise(starts)):
        for j in range(values.shape[1]):
            rows = range(begin, end)
            yield (
                (i, j),
                {int(frame[r]): float(values[r, j]) for r in rows if math.isfinite(values[r, j])},
            )


def drift(points):
    """Slope per 100 frames by least squares."""
    x, y = list(points), list(points.values())
    mx, my = sum(x) / len(x), sum(y) / len(y)
    sxx = sum((a - mx) ** 2 for a in x)
    return 100 * sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sxx


def slopes(points):
    """[(weight, error per 100 frames, degrees)] of the slope under each of the 28 spectra."""
    x = list(points)
    n, waves = len(x), min(40, len(x) // 2)

    def wave(v, j):
        turn = math.pi * j / n
        whole = sum(a * math.cos(turn * (t + 0.5)) for t, a in enumerate(v))
        return math.sqrt(2 / n) * whole

    mx, slope = sum(x) / n, drift(points) / 100
    line = [wave([a - mx for a in x], j) for j in range(1, waves + 1)]
    rest = [b - slope * a for a, b in points.items()]
    left = [wave([b - sum(rest) / n for b in rest], j) for j in range(1, waves + 1)]
    found = []
    for phi in (0, 0.4, 0.6, 0.75, 0.84, 0.9, 0.94, 0.965, 0.98, 0.99):
        for share in (1, 0.8, 0.5) if phi else (1,):
            v = [
                share * (1 - phi**2) / (1 - 2 * phi * math.cos(math.pi * j / n) + phi**2)
                + 1
                - share
                for j in range(1, waves + 1)
            ]
            sxx = sum(a * a / one for a, one in zip(line, v, strict=True))
            sxz = sum(a * z / one for a, z, one in zip(line, left, v, strict=True))
            sse = sum(z * z / one for z, one in zip(left, v, strict=True)) - sxz**2 / sxx
            log = -0.5 * (sum(map(math.log, v)) + math.log(sxx) + (waves - 1) * math.log(sse))
            log += 0.75 * math.log(1 - phi) - math.log(3 if phi else 1)
            spread = sum(a * a * one for a, one in zip(line, v, strict=True))
            error = math.sqrt(sse / (waves - 1) * spread) / sum(a * a for a in line)
            found.append((log, 100 * error, waves - 1))
    most = max(log for log, _, _ in found)
    total = sum(math.exp(log - most) for log, _, _ in found)
    return [(math.exp(log - most) / total, error, df) for log, error, df in found]


def gross_rate(points):
    """Share of least-squares residuals beyond five scales."""
    x, y = np.array(list(points), float), np.array(list(points.values()))
    e = y - np.polyval(np.polyfit(x, y, 1), x)
    e = np.abs(e - np.median(e))
    return (e > 5 * 1.4826 * np.median(e)).mean()


def jitter(points, order):
    """1.4826 median |difference| / norm over consecutive frames, and how many there are."""
    weights = {2: (1, -2, 1), 3: (1, -3, 3, -1)}[order]
    found = [
        abs(sum(w * points[f - i] for i, w in enumerate(weights)))
        for f in points
        if all(f - i in points for i in range(order + 1))
    ]
    norm = math.sqrt(sum(w * w for w in weights))
    return (1.4826 * median(found) / norm if found else NAN), len(found)


def step_differences(points):
    """{frame: d} of medians of five rows."""
    x, y = list(points), list(points.values())
    if len(x) < 2:
        return {}
    span = 18 * median_low(b - a for a, b in itertools.pairwise(x))
    return {
        x[i]: median(y[i : i + 5]) - median(y[i - 5 : i])
        for i in range(5, len(x) - 4)
        if x[i + 4] - x[i - 5] <= span
    }


def abrupt(points, size):
    """Frames near which most of the jump comes at once, and does not go on before or after."""
    x, y = list(points), list(points.values())
    found = set()
    for i, frame in enumerate(x):
        if frame not in size:
            continue
        way = math.copysign(1, size[frame])
        at = max(range(i - 2, i + 3), key=lambda k: way * (y[k] - y[k - 1]))
        slow = [0.0]
        if at >= 4:
            slow.append(way * (y[at - 1] - y[at - 4]) / 3)
        if at + 3 < len(y):
            slow.append(way * (y[at + 3] - y[at]) / 3)
        once = way * (y[at] - y[at - 1])
        beside = [way * (y[k] - y[k - 1]) for k in (at - 1, at + 1) if 0 < k < len(y)]
        if any(one >= 0.75 * once for one in beside):
            continue
        if once - max(slow) >= 0.5 * abs(size[frame]):
            found.add(frame)
    return found


def mean_differences(points):
    """{frame: d} of means of five rows."""
    x, y = list(points), list(points.values())
    return {x[i]: (sum(y[i : i + 5]) - sum(y[i - 5 : i])) / 5 for i in range(5, len(x) - 4)}


def spike_differences(points):
    """{frame: d} from the median of the four frames around."""
    around = (-2, -1, 1, 2)
    return {
        f: points[f] - median(points[f + i] for i in around)
        for f in points
        if all(f + i in points for i in around)
    }


def normalised(found, tolerance=0.0):
    """{frame: |d| over 1.4826 median |d|, or half a tolerance where that is below a third}."""
    usual = 1.4826 * median(abs(d) for d in found.values()) if found else NAN
    usual = 0.5 * tolerance if usual < tolerance / 3 else usual
    return {f: (0.0 if d == 0 else abs(d) / usual if usual else math.inf) for f, d in found.items()}


def lag_sums(offset, gold, k=3):
    """-Σ(v - v̄)(y - ȳ) and Σ(v - v̄)² of one axis."""
    rows = [
        ((gold[f + k] - gold[f - k]) / (2 * k), offset[f])
        for f in offset
        if f + k in gold and f - k in gold
    ]
    if not rows:
        return 0.0, 0.0, 0
    mv, my = (sum(x) / len(rows) for x in zip(*rows, strict=True))
    return (
        -sum((v - mv) * (y - my) for v, y in rows),
        sum((v - mv) ** 2 for v, _ in rows),
        len(rows),
    )


def ratio(above, below):
    """Ratio of sums with the P2 correction, and its degrees of freedom."""
    whole = sum(below)
    r = sum(above) / whole
    p = [b / whole for b in below]
    p2, p3 = sum(x**2 for x in p), sum(x**3 for x in p)
    v = sum((a - r * b) ** 2 for a, b in zip(above, below, strict=True)) / whole**2 / (1 - p2)
    return r, math.sqrt(v), (1 - p2) ** 2 / (p2 - 2 * p3 + p2**2)


def chord(frames, gold, drawn, f):
    """Linear interpolation of gold at frame f between the keyframes around it, or NaN."""
    keys = [a for a, d in zip(frames, drawn, strict=True) if d]
    before, after = [a for a in keys if a <= f], [a for a in keys if a >= f]
    if not before or not after:
        return NAN
    a, b = before[-1], after[0]
    if a == b:
        return gold[a]
    return gold[a] + (gold[b] - gold[a]) * (f - a) / (b - a)
