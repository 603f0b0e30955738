"""A browser for tests of pages, with a witness of all that happens in it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"desk": 1280, "phone": 390}
TOLD = """addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI))"""


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium, or else playwright's own."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    args = ["--no-sandbox", "--disable-gpu"]
    return playwright.chromium.launch(executable_path=path, args=args)


def skip(reason: str) -> None:
    """Skip, except where the browser tests are what was asked for."""
    if os.environ.get("ANNQC_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


class Witness:
    """What happens in a tab: messages, requests, dialogs, errors, other tabs."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.troubles: list[str] = []
        context.add_init_script(TOLD)
        context.on("request", lambda one: self.requests.append(one.url))
        context.on("requestfailed", self._failed)
        self.page: Page = context.new_page()
        context.on("page", lambda one: self.troubles.append(f"another tab: {one.url}"))
        self.page.on("console", self._message)
        self.page.on("pageerror", lambda one: self.troubles.append(f"error: {one}"))
        self.page.on("dialog", self._dialog)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # what is saved is no page any more
            self.troubles.append(f"failed: {request.failure} {request.url}")

    def _message(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def outside(self, root: Path) -> list[str]:
        """List what was asked for that lies outside of a folder, or is no file of this page."""
        inside = root.resolve().as_uri()
        return [one for one in self.requests if not one.startswith((inside, "data:", "blob:"))]

    def open(self, path: Path, fragment: str = "") -> Page:
        """Open a page, and wait until its pictures are drawn."""
        self.page.goto(path.resolve().as_uri() + fragment)
        drawn(self.page)
        return self.page


@contextmanager
def tab(browser: Browser, *, width: int = 1280, dark: bool = False) -> Iterator[Witness]:
    """Open a tab of some width; it is closed at the end."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        has_touch=width < 500,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    try:
        yield Witness(context)
    finally:
        context.close()


def drawn(page: Page) -> None:
    """Wait until every picture that can be seen is drawn, and as wide as its place."""
    page.wait_for_function(
        """() => Array.from(document.querySelectorAll(".picture"))
          .filter((one) => one.checkVisibility())
          .every((one) => {
            const svg = one.querySelector(".main-svg");
            return svg && Math.abs(svg.clientWidth - one.clientWidth) <= 1;
          })"""
    )


def too_wide(page: Page) -> list[str]:
    """List what sticks out of the window to the right and cannot be scrolled to in its own box."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
          Array.from(document.querySelectorAll("body *"))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1
              && !one.closest(".scroll, .picture"))
            .map((one) => one.tagName + "." + one.className).concat(["the page"])"""
    )
    return found


def column(page: Page, table: str, title: str) -> list[str]:
    """Return the text of a column of a table, row by row, of the rows that are shown."""
    found: list[str] = page.evaluate(
        """([table, title]) => {
          const all = document.querySelector(table);
          const heads = Array.from(all.tHead.rows[0].cells, (one) => one.textContent.trim());
          const rows = Array.from(all.tBodies[0].rows).filter((row) => !row.hidden);
          return rows.map((row) => row.cells[heads.indexOf(title)].firstChild.textContent.trim()
            || row.cells[heads.indexOf(title)].textContent.trim());
        }""",
        [table, title],
    )
    return found
