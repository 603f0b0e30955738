"""Verdicts can be told apart by colour with every kind of colour vision, and by a mark anyway.

Colour-vision deficiency is simulated after Machado, Oliveira and Fernandes (2009), A
physiologically based model for simulation of color vision deficiency, at severity 1; the matrices
act on linear RGB.
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from annqc.report.html.pictures import COLOURS, DEEPEST, SCALE, SYMBOLS
from annqc.report.html.texts import MARKS
from annqc.report.standing import STANDINGS

SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)
WHITE = XYZ @ np.ones(3)
VARIABLES = {"too_few": "few"}
LEAST = 15.0
"""Colour difference that tells two verdicts apart at a glance."""
STYLE = (files("annqc.report.html") / "templates" / "style.css").read_text(encoding="utf-8")


def linear(text):
    if len(text) == 4:
        text = "#" + "".join(2 * c for c in text[1:])
    value = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def seen(text, vision):
    return np.clip(SEEN[vision] @ linear(text), 0, 1)


def lab(rgb):
    share = XYZ @ rgb / WHITE
    f = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(a, b, vision):
    """CIE 1976 colour difference; 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(seen(a, vision)) - lab(seen(b, vision))))


def contrast(a, b, vision="normal"):
    """WCAG 2 contrast ratio."""
    lights = sorted(float(XYZ[1] @ seen(one, vision)) + 0.05 for one in (a, b))
    return lights[1] / lights[0]


def closest(colours, vision):
    """Return the smallest difference of two verdicts; grey stands for none."""
    verdicts = [colour for place, colour in colours.items() if place != "too_few"]
    assert len(verdicts) == 4
    return min(distance(a, b, vision) for a, b in combinations(verdicts, 2))


def schemes():
    """Colours of the style sheet: light, dark, paper."""
    found = [
        dict(re.findall(r"--([a-z]+): (#[0-9a-fA-F]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    ]
    assert len(found) == 3
    return dict(zip(("light", "dark", "paper"), found, strict=True))


def of_verdicts(scheme):
    return {one: schemes()[scheme][VARIABLES.get(one, one)] for one in STANDINGS}


def test_the_measures_agree_with_known_values():
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    # Red and green of one lightness: no two colours for those without M cones.
    assert distance("#c05000", "#708000", "normal") > 30
    assert distance("#c05000", "#708000", "deuteranopia") < 20


@pytest.mark.parametrize("vision", SEEN)
@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_words_of_verdicts_can_be_read_and_told_apart(scheme, vision):
    page = schemes()[scheme]["page"]
    colours = of_verdicts(scheme)
    for one in colours.values():
        assert contrast(one, page, vision) >= 4.5
    assert closest(colours, vision) >= LEAST


@pytest.mark.parametrize("vision", SEEN)
def test_points_of_pictures_can_be_told_apart(vision):
    for page in ("#ffffff", schemes()["dark"]["page"]):
        for colour in COLOURS.values():
            assert contrast(colour, page) >= 3
    assert closest(COLOURS, vision) >= LEAST


@pytest.mark.parametrize("vision", SEEN)
def test_tight_and_loose_can_be_told_apart_and_marks_be_read_on_them(vision):
    tight, none, loose = (colour for _, colour in SCALE)
    assert min(distance(a, b, vision) for a, b in combinations((tight, none, loose), 2)) >= 30
    for colour in (tight, none, loose):
        assert contrast("#111111", colour, vision) >= 4.5
    assert DEEPEST > 1


def test_marks_and_symbols_tell_verdicts_without_colour():
    for tellers in (MARKS, SYMBOLS, COLOURS):
        assert set(tellers) == set(STANDINGS)
        assert len(set(tellers.values())) == len(STANDINGS)
