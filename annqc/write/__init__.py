"""write: from a `Dataset` back to files, the way reading came; one file a format."""

from __future__ import annotations

from annqc.write.coco import write_coco
from annqc.write.cvat import write_cvat_images, write_cvat_video
from annqc.write.mot import write_mot

__all__ = ["write_coco", "write_cvat_images", "write_cvat_video", "write_mot"]
