"""write: from a `Dataset` back to files, the way reading came; one file a format."""

from __future__ import annotations

from annqc.write.coco import write_coco

__all__ = ["write_coco"]
