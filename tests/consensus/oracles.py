"""Slow, plain versions of what the consensus room computes."""

from __future__ import annotations

import itertools
import math


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def total(boxes, partition, least):
    """Sum ``IoU - least`` over the pairs that share an object."""
    return sum(
        iou(boxes[i], boxes[j]) - least
        for members in partition
        for i, j in itertools.combinations(members, 2)
    )


def partition_of(label):
    found = {}
    for row, one in enumerate(label):
        found.setdefault(int(one), []).append(row)
    return list(found.values())


def best_partition(boxes, who, least):
    """Try every partition with at most one box of each annotator in an object."""
    best = (-math.inf, None)

    def place(row, objects, value):
        nonlocal best
        if row == len(boxes):
            if value > best[0]:
                best = (value, [list(one) for one in objects])
            return
        for one in objects:
            if all(who[other] != who[row] for other in one):
                gain = sum(iou(boxes[other], boxes[row]) - least for other in one)
                one.append(row)
                place(row + 1, objects, value + gain)
                one.pop()
        objects.append([row])
        place(row + 1, objects, value)
        objects.pop()

    place(0, [], 0.0)
    return best


def two_way(x, h, who, obj, gold=None, gold_sd=0.5, n_iter=500):
    """Fit the two-way model of one edge, loop by loop; ``gold`` maps objects to coordinates."""
    gold = gold or {}
    objects, people = sorted(set(obj)), sorted(set(who))
    rows = range(len(x))
    of_object = {o: [i for i in rows if obj[i] == o] for o in objects}
    of_person = {a: [i for i in rows if who[i] == a] for a in people}
    mu = {o: _median([x[i] for i in of_object[o]]) for o in objects}
    b = dict.fromkeys(people, 0.0)
    s = {
        a: max(1.4826 * _mad([(x[i] - mu[obj[i]]) / h[obj[i]] for i in of_person[a]]), 1e-6)
        for a in people
    }
    variance = {}
    for _ in range(n_iter):
        om, w = {}, {}
        for i in rows:
            r = (x[i] - b[who[i]] - mu[obj[i]]) / (s[who[i]] * h[obj[i]])
            om[i] = 5 / (4 + r * r)
            w[i] = om[i] / (s[who[i]] * h[obj[i]]) ** 2
        for o in objects:
            top = sum(w[i] * (x[i] - b[who[i]]) for i in of_object[o])
            down = sum(w[i] for i in of_object[o])
            if o in gold:
                top += gold[o] / gold_sd**2
                down += 1 / gold_sd**2
            mu[o], variance[o] = top / down, 1 / down
        before = dict(b)
        for a in people:
            down = sum(w[i] for i in of_person[a])
            b[a] = sum(w[i] * (x[i] - mu[obj[i]]) for i in of_person[a]) / down
        if not gold:
            centre = _median(list(b.values()))
            b = {a: value - centre for a, value in b.items()}
            mu = {o: value + centre for o, value in mu.items()}
        part = {
            a: sum(
                om[i] * ((x[i] - b[a] - mu[obj[i]]) / h[obj[i]]) ** 2
                + variance[obj[i]] / h[obj[i]] ** 2
                for i in of_person[a]
            )
            for a in people
        }
        pooled = sum(part.values()) / len(x)
        s = {a: math.sqrt((4 * pooled + part[a]) / (4 + len(of_person[a]))) for a in people}
        if max(abs(b[a] - before[a]) for a in people) < 1e-11:
            break
    return mu, b, s, variance, om


def _median(values):
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _mad(values):
    centre = _median(values)
    return _median([abs(one - centre) for one in values])


def weighted_boxes(boxes, threshold):
    """Fuse boxes of equal score, in the order given: weighted boxes fusion."""
    fused, members = [], []
    for row, box in enumerate(boxes):
        overlap = [iou(box, one) for one in fused]
        best = max(range(len(fused)), key=overlap.__getitem__, default=-1)
        if best >= 0 and overlap[best] > threshold:
            members[best].append(row)
            inside = [boxes[k] for k in members[best]]
            fused[best] = [sum(one[k] for one in inside) / len(inside) for k in range(4)]
        else:
            fused.append(list(box))
            members.append([row])
    return fused, members
