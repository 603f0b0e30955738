"""Class numbers that video formats fix, for readers and writers alike."""

from __future__ import annotations

from typing import Final

__all__ = ["MOTS_CLASSES", "MOT_CLASSES"]

MOT_CLASSES: Final = {
    1: "pedestrian",
    2: "person_on_vehicle",
    3: "car",
    4: "bicycle",
    5: "motorbike",
    6: "non_mot_vehicle",
    7: "static_person",
    8: "distractor",
    9: "occluder",
    10: "occluder_on_ground",
    11: "occluder_full",
    12: "reflection",
    13: "crowd",
}
"""What MOTChallenge (MOT16, MOT17, MOT20) calls its classes."""

MOTS_CLASSES: Final = {1: "car", 2: "pedestrian", 10: "ignore"}
"""What KITTI MOTS and MOTSChallenge call their classes; 10 is a region to leave out."""
