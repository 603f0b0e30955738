"""What the formats of a queue's files are described to have, and what is not as described.

The tables are written from the published descriptions: "Data format" of COCO, "XML annotation
format" of CVAT, "Label Studio JSON format of annotated tasks", and FiftyOne's `Detection`.
"""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise

import numpy as np


def whole(value):
    return type(value) is int


def real(value):
    return type(value) in (int, float) and math.isfinite(value)


def text(value):
    return type(value) is str


def runs_or_polygons(value):
    """A mask with its runs, or polygons of three vertices or more; no polygon is a list too."""
    if isinstance(value, dict):
        return set(value) == {"size", "counts"} and all(map(whole, value["size"]))
    listed = isinstance(value, list) and all(isinstance(one, list) for one in value)
    return listed and all(len(x) >= 6 and len(x) % 2 == 0 and all(map(real, x)) for x in value)


COCO = {
    "images": {"id": whole, "width": whole, "height": whole, "file_name": text},
    "categories": {"id": whole, "name": text},
    "annotations": {
        "id": whole,
        "image_id": whole,
        "category_id": whole,
        "area": real,
        "bbox": lambda box: len(box) == 4 and all(map(real, box)) and min(box[2:]) >= 0,
        "iscrowd": lambda flag: whole(flag) and flag in (0, 1),
    },
}
OPTIONAL = {"segmentation": runs_or_polygons, "attributes": lambda value: isinstance(value, dict)}


def coco_faults(document):
    """Say what is not as COCO describes it."""
    faults = []
    for section, fields in COCO.items():
        rows = document[section]
        if len({json.dumps(row["id"]) for row in rows}) < len(rows):
            faults.append(f"{section}: an id is there twice")
        for row in rows:
            known = {k: check for k, check in OPTIONAL.items() if k in row}
            for name, check in {**fields, **known}.items():
                if name not in row or not check(row[name]):
                    faults.append(f"{section}.{name}: {row.get(name)!r:.50}")
    there = [{row["id"] for row in document[name]} for name in ("images", "categories")]
    return faults + [
        f"annotations: {row['id']} is on no image or of no category"
        for row in document["annotations"]
        if row["image_id"] not in there[0] or row["category_id"] not in there[1]
    ]


def number(value):
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def integer(value):
    return value.isascii() and value.lstrip("-").isdigit()


def flag(value):
    return value in ("0", "1")


def points(value):
    pairs = [one.split(",") for one in value.split(";")]
    return len(pairs) >= 3 and all(len(one) == 2 and all(map(number, one)) for one in pairs)


def rle(value):
    return all(one.strip().isdigit() for one in value.split(","))


_SIDES = dict.fromkeys(("xtl", "ytl", "xbr", "ybr"), number)
_PLACE = dict.fromkeys(("left", "top", "width", "height"), integer)
_SHAPES = {"box": _SIDES, "polygon": {"points": points}, "mask": {"rle": rle, **_PLACE}}
CVAT = {
    "image": {"id": integer, "name": bool, "width": integer, "height": integer},
    "track": {"id": integer, "label": bool},
    "shape": {"occluded": flag, "z_order": integer},
    "in image": {"label": bool},
    "in track": {"frame": integer, "outside": flag, "keyframe": flag},
}
BESIDE = {"source": bool, "group_id": integer, "task_id": integer, "subset": bool}
_META = {
    "id": integer,
    "name": bool,
    "size": integer,
    "mode": lambda value: value in ("interpolation", "annotation"),
    "start_frame": integer,
    "stop_frame": integer,
    "frame_filter": lambda value: value == "" or value.startswith("step="),
    "subset": bool,
    "assignee": None,
    "original_size": None,
    "labels": None,
}
_KINDS = "select", "checkbox", "radio", "number", "text"


def attribute_faults(element, fields):
    """Say which XML attributes are missing, of another type, or unknown."""
    beside = {k: v for k, v in BESIDE.items() if k in element.attrib}
    wrong = [k for k, check in {**fields, **beside}.items() if not check(element.get(k) or "")]
    unknown = set(element.attrib) - set(fields) - set(BESIDE)
    return [f"{element.tag}: {name}={element.get(name)}" for name in (*wrong, *sorted(unknown))]


def cvat_faults(root):
    """Say what is not as CVAT describes it."""
    faults = [] if [one.tag for one in root[:2]] == ["version", "meta"] else ["order"]
    faults += [] if root.findtext("version") == "1.1" else ["version"]
    for task in root.iter("task"):
        for one in task:
            check = _META.get(one.tag, lambda _: False)
            if check is not None and not check(one.text or ""):
                faults.append(f"task: {one.tag}={one.text}")
    declared = {}
    for label in root.iter("label"):
        kinds = {
            one.findtext("name"): one.findtext("input_type") for one in label.iter("attribute")
        }
        declared[label.findtext("name")] = kinds
        faults += [f"input_type {kind}" for kind in kinds.values() if kind not in _KINDS]
    for holder in root[2:]:
        if holder.tag not in ("image", "track"):
            faults.append(f"unknown: {holder.tag}")
            continue
        faults += attribute_faults(holder, CVAT[holder.tag])
        for shape in holder:
            fields = CVAT["shape"] | CVAT[f"in {holder.tag}"] | _SHAPES.get(shape.tag, {})
            faults += attribute_faults(shape, fields) if shape.tag in _SHAPES else ["shape"]
            label = declared.get(shape.get("label") or holder.get("label"))
            faults += [] if label is not None else ["label that is not declared"]
            for one in shape:
                value, kind = one.text or "", (label or {}).get(one.get("name"))
                good = {"number": number(value), "checkbox": value in ("true", "false")}
                if one.tag != "attribute" or kind is None or not good.get(kind, True):
                    faults.append(f"attribute {one.get('name')}={value}")
    return faults


def shown_by_cvat(root):
    """Return (sequence, frame) -> boxes that CVAT shows, as its import and its tracks have them.

    It takes the keyframes of a track alone, refuses frames that a video has not, goes straight from
    one keyframe to the next, holds the last one to the end, and shows nothing while outside.
    """
    tasks = {one.findtext("id"): one for one in root.iter("task")}
    found = Counter()
    for track in root.iter("track"):
        task = tasks[track.get("task_id", "0")]
        first, last = (int(task.findtext(f"{end}_frame")) for end in ("start", "stop"))
        keys = [one for one in track if one.get("keyframe") == "1"]
        assert keys
        assert all(first <= int(one.get("frame")) <= last for one in track)
        frames = [int(one.get("frame")) for one in keys]
        assert frames == sorted(set(frames))
        boxes = [np.array([float(one.get(side)) for side in _SIDES]) for one in keys]
        steps = [*pairwise(zip(frames, boxes, keys, strict=True))]
        for (frame, box, key), (after, its, _) in steps:
            for k in range(frame, after) if key.get("outside") == "0" else ():
                between = box + (its - box) * (k - frame) / (after - frame)
                found[task.findtext("name"), k, *between.round(6).tolist()] += 1
        for k in range(frames[-1], last + 1) if keys[-1].get("outside") == "0" else ():
            found[task.findtext("name"), k, *boxes[-1].round(6).tolist()] += 1
    return found


_REGION = {
    "id": text,
    "type": text,
    "from_name": text,
    "to_name": text,
    "original_width": whole,
    "original_height": whole,
    "image_rotation": lambda turn: turn in (0, 90, 180, 270),
    "value": lambda value: isinstance(value, dict),
}


def percent(value):
    return real(value) and 0 <= value <= 100


VALUES = {
    "rectanglelabels": {
        **dict.fromkeys(("x", "y", "width", "height"), percent),
        "rotation": lambda turn: real(turn) and 0 <= turn <= 360,
    },
    "polygonlabels": {
        "points": lambda ring: (
            len(ring) >= 3 and all(len(p) == 2 and all(map(percent, p)) for p in ring)
        ),
        "closed": lambda value: value is True,
    },
}


def label_studio_faults(tasks, config):
    """Say what is not as Label Studio describes it, or is not in the labelling configuration."""
    root = ET.fromstring(config)
    names = Counter(one.get("name") for one in root.iter() if one.get("name") is not None)
    faults = [f"{name} is there twice" for name, count in names.items() if count > 1]
    tags = {one.get("name"): one for one in root.iter() if one.get("name") is not None}
    for task in tasks:
        if not whole(task["id"]) or not text(task["data"].get(tags["image"].get("value")[1:])):
            faults.append("task")
        for side in (*task["annotations"], *task["predictions"]):
            ids = [one["id"] for one in side["result"]]
            faults += [] if len(set(ids)) == len(ids) else ["region twice"]
            for region in side["result"]:
                faults += [k for k, check in _REGION.items() if not check(region.get(k))]
                kind, value = region["type"], region["value"]
                control = tags.get(region["from_name"])
                if control is None or control.tag.lower() != kind:
                    faults.append(f"{region['from_name']} is not of the type {kind}")
                    continue
                if control.get("toName") != region["to_name"] or region["to_name"] not in tags:
                    faults.append("to_name")
                faults += [k for k, check in VALUES[kind].items() if not check(value.get(k))]
                faults += sorted(set(value) - set(VALUES[kind]) - {kind})
                known = {one.get("value") for one in control}
                if len(value[kind]) != 1 or not set(value[kind]) <= known:
                    faults.append(f"label {value[kind]}")
                notes = region.get("meta", {}).get("text", [])
                faults += [] if isinstance(notes, list) and all(map(text, notes)) else ["text"]
    return faults


DETECTION = {
    "_cls": lambda value: value == "Detection",
    "tags": lambda value: value == [],
    "label": text,
    "bounding_box": lambda box: len(box) == 4 and all(map(real, box)),
}
_TYPED = {"attributes", "mask", "mask_path", "index", "id", "instance"}


def fiftyone_faults(document):
    """Say what is not as FiftyOne has its detections."""
    faults = [] if document["media_type"] == "image" else ["media_type"]
    for sample in document["samples"]:
        faults += [] if text(sample["filepath"]) and sample["tags"] == [] else ["sample"]
        size = sample["metadata"]
        faults += [k for k in ("width", "height") if not whole(size[k])]
        for field in ("review", "reference"):
            faults += [] if sample[field]["_cls"] == "Detections" else ["_cls"]
            for one in sample[field]["detections"]:
                faults += [k for k, check in DETECTION.items() if not check(one.get(k))]
                names = set(one) - set(DETECTION)
                faults += [k for k in names if k[:1] in "_$" or "." in k or k in _TYPED]
    return faults
