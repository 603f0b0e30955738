"""The pictures of docs/howto/report.md, taken anew: ``make screenshots``.

The report is the one of `annqc demo`, so that whoever runs that sees the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from annqc.cli._planted import run_demo
from tests.report.browser import drawn, launch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

THERE: Final = Path(__file__).parents[3] / "docs" / "_static" / "report"
QUALITY: Final = 78
MOST: Final = 150_000
"""Bytes of a picture."""
SHOTS: Final = (
    ("overview", "index.html", "", 1280, 1400, 1.0),
    ("phone", "index.html", "#annotators", 390, 844, 2.0),
    ("annotator", "annotators/ben-2.html", "", 1280, 1500, 1.0),
)
"""Name, page, what is at the top, width, height, and pixels a pixel."""


def main() -> None:
    """Take all pictures, and say how large they are."""
    from playwright.sync_api import sync_playwright

    THERE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run_demo(Path(folder) / "demo", seed=1, step=lambda _: None)
        browser = launch(playwright)
        for shot in SHOTS:
            path, size = _take(browser, Path(folder) / "demo" / "report", *shot)
            print(f"{path.relative_to(THERE.parents[2])}: {size / 1e3:.0f} kB")
            assert size < MOST
        browser.close()


def _take(
    browser: Browser,
    report: Path,
    name: str,
    page_name: str,
    top: str,
    width: int,
    height: int,
    scale: float,
) -> tuple[Path, int]:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto((report / page_name).as_uri())
    drawn(page)
    if top:
        page.locator(top).evaluate("one => window.scrollTo(0, one.offsetTop - 12)")
    data = np.frombuffer(page.screenshot(), np.uint8)
    context.close()
    path = THERE / f"{name}.webp"
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    path.write_bytes(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes())
    return path, path.stat().st_size


if __name__ == "__main__":
    main()
