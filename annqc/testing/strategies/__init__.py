"""testing: hypothesis strategies for boxes, polygons, videos, datasets, deliveries, and annotators.

They draw data that annqc takes as valid, odd but legal data among them: images nobody drew on, ids
that are texts, annotators who were not asked. Use them to put your own converters, metrics and
filters to the test:

    from hypothesis import given
    from annqc.testing import strategies as annotated

    @given(annotated.datasets())
    def test_my_converter_loses_nothing(dataset):
        assert len(back_again(dataset)) == len(dataset)

What fails is shrunk to the smallest dataset that still fails. This subpackage needs hypothesis.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis  # noqa: F401
except ModuleNotFoundError as _error:
    if _error.name != "hypothesis":
        raise
    _text = "annqc.testing.strategies needs hypothesis, which is not there: pip install hypothesis"
    raise ModuleNotFoundError(_text, name="hypothesis") from None

from annqc.testing.strategies.habits import annotators, habits, simulations
from annqc.testing.strategies.shapes import boxes, polygons, polygons_with_holes
from annqc.testing.strategies.tables import datasets, deliveries, images
from annqc.testing.strategies.videos import tracked_datasets, tracked_deliveries

__all__ = [
    "annotators",
    "boxes",
    "datasets",
    "deliveries",
    "habits",
    "images",
    "polygons",
    "polygons_with_holes",
    "simulations",
    "tracked_datasets",
    "tracked_deliveries",
]
