"""Polygons for tests: drawn at random, out of shapely, or read from real data."""

from __future__ import annotations

import json

import numpy as np
import shapely
from shapely.geometry.polygon import orient

from annqc.tables import Shapes


def star(rng, n=30, *, radius=60.0, jitter=0.15, at=(200.0, 150.0)):
    """A ring around a point, with a positive shoelace area."""
    turn = (np.arange(n) + 0.4 * rng.uniform(-1, 1, n)) / n * 2 * np.pi
    r = radius * (1 + jitter * rng.standard_normal(n)).clip(0.3, 2)
    return np.column_stack([at[0] + r * np.cos(turn), at[1] + r * np.sin(turn)])


def box(x1, y1, x2, y2):
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=float)


def rings_of(geometry):
    """The rings of a shapely polygon in normal form: outer ones positive, holes negative."""
    rings = []
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon" and part.area > 0:
            turned = orient(part)
            rings += [np.array(one.coords)[:-1] for one in (turned.exterior, *turned.interiors)]
    return rings


def shapes_of(geometries):
    return Shapes.from_rings([rings_of(one) for one in geometries])


def mended(rings):
    """A valid shapely geometry of rings that may cross themselves, polygons only."""
    parts = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings]
    whole = shapely.union_all(parts)
    polygons = [
        one
        for one in shapely.get_parts(whole, return_index=False)
        if one.geom_type == "Polygon" and one.area > 0
    ]
    return shapely.MultiPolygon(polygons)


def random_geometries(rng, n):
    """Valid polygons of all sorts: plain, with holes, in parts, on a grid, with shared edges."""
    out = []
    for k in range(n):
        at = rng.uniform(60, 160, 2)
        one = mended([star(rng, int(rng.integers(3, 40)), jitter=0.3, at=at)])
        if k % 4 == 1:
            hole = mended([star(rng, 12, radius=25, at=at + rng.uniform(-20, 20, 2))])
            one = one.difference(hole)
        elif k % 4 == 2:
            other = mended([star(rng, 9, radius=30, at=at + rng.uniform(-90, 90, 2))])
            one = one.union(other)
        elif k % 4 == 3:
            corners = (rng.integers(0, 12, (3, 2)) * 10.0).tolist()
            one = shapely.union_all([shapely.box(x, y, x + 40, y + 30) for x, y in corners])
        out.append(one)
    return out


def coco_geometries(folder):
    """The polygons of a subset of COCO, mended."""
    found = json.loads((folder / "coco_val2017_subset/instances_val2017.tiny.json").read_text())
    outlines = (one["segmentation"] for one in found["annotations"])
    return [
        mended([np.reshape(ring, (-1, 2)) for ring in rings if len(ring) >= 6])
        for rings in outlines
        if isinstance(rings, list)
    ]


def lidc_geometries(folder, n):
    """Contours that readers drew on pixels, as (patient, z, geometry), mended."""
    lines = (folder / "lidc_contours/contours_first150scans.jsonl").read_text().splitlines()[:n]
    found = [json.loads(line) for line in lines]
    return [
        (one["patient"], one["z"], mended([one["points_xy"]]))
        for one in found
        if len(one["points_xy"]) > 3
    ]
