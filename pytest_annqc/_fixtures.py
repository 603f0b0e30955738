"""The fixtures; what they hand out is loaded when a test asks for it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from annqc.api import Audit
    from pytest_annqc._bench import Bench

__all__ = ["annqc_audit", "annqc_fixture"]


@pytest.fixture(scope="session", name="annqc")
def annqc_fixture(pytestconfig: pytest.Config) -> Bench:
    """Give annqc at hand: read, audit, judge, simulate, and the asserts of annqc.testing.

    Relative paths are seen from the root of the project, those of data from annqc_data_root.
    """
    from pytest_annqc._bench import Bench

    return Bench(pytestconfig)


@pytest.fixture
def annqc_audit(request: pytest.FixtureRequest, annqc: Bench) -> Audit:
    """Give the audit of what the marker names: @pytest.mark.annqc(work=..., gold=...)."""
    marker = request.node.get_closest_marker("annqc")
    named = {} if marker is None else marker.kwargs
    if marker is None or marker.args or not {"work", "gold"} <= named.keys():
        pytest.fail(
            "annqc_audit needs to know what to compare: "
            '@pytest.mark.annqc(work="work.json", gold="gold.json")',
            pytrace=False,
        )
    return annqc.audit(**named)
