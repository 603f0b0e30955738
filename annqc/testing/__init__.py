"""testing: annotations under test, with pytest or without."""

from __future__ import annotations
