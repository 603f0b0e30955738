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
    """Slope per 100 frames, error and degrees of freedom by least squares, as the table says."""
    x, y = list(points), list(points.values())
    n = len(x)
    mx, my = sum(x) / n, sum(y) / n
    sxx = sum((a - mx) ** 2 for a in x)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sxx
    e = [b - my - slope * (a - mx) for a, b in zip(x, y, strict=True)]
    step = median_low(b - a for a, b in itertools.pairwise(x))
    pairs = [(i, i + 1) for i in range(n - 1) if x[i + 1] - x[i] == step]
    sse = sum(one**2 for one in e)
    r1 = sum(e[i] * e[j] for i, j in pairs) / sse * (n - 1) / len(pairs)
    r = min(max(r1 + (1 + 4 * r1) / n, -0.5), 0.97)
    held = sum(y[i] == y[j] for i, j in pairs)
    if held:
        r = max(r, held / (2 * n - held))
    se = math.sqrt((1 + r) / (1 - r) * sse / (n - 2) / sxx)
    return 100 * slope, 100 * se, max(n * (1 - r) / (1 + r), 3) - 2


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


def normalised(found):
    """{frame: |d| over 1.4826 median |d|}."""
    usual = 1.4826 * median(abs(d) for d in found.values()) if found else NAN
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
