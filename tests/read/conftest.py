from __future__ import annotations

import json

import pytest


@pytest.fixture
def coco(tmp_path):
    """Write a COCO file: rows are annotations, filled in where they lack what they need."""

    def write(rows, name="work.json", *, fill=True, **sections):
        named = [row.get("image_id") for row in rows if isinstance(row, dict)]
        ids = {id for id in named if isinstance(id, (int, str))}
        document = {
            "images": [{"id": id, "file_name": f"{id}.jpg"} for id in sorted(ids, key=str)],
            "annotations": [
                {"id": k + 1, "category_id": 1, **row} if fill and isinstance(row, dict) else row
                for k, row in enumerate(rows)
            ],
            "categories": [{"id": 1, "name": "cat"}],
            **sections,
        }
        document = {key: value for key, value in document.items() if value is not None}
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def put(tmp_path):
    """Write a file below the test's folder."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
