"""report: an audit as a folder of pages."""

from __future__ import annotations

import secrets
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import annqc
from annqc.report.files import spare_inputs
from annqc.report.html.category import FOLDER, Categories
from annqc.report.html.folder import ASSETS, refuse_foreign, write_folder
from annqc.report.html.gallery import Gallery, Links
from annqc.report.html.links import image_source, link_pattern
from annqc.report.html.names import pseudonyms, with_pseudonyms
from annqc.report.html.overview import check_records, method, overview
from annqc.report.html.person import People
from annqc.report.html.reviewfiles import review_files
from annqc.report.html.single import COMPACT, fold, refuse_other, write_single
from annqc.report.html.story import tell
from annqc.report.html.texts import MARKS, WORDS, count
from annqc.report.plain import clean_lines
from annqc.run.review import queue_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import jinja2

    from annqc.judge import Judgement
    from annqc.report.html.story import Story
    from annqc.run.audit import Run

__all__ = ["write_report"]


def write_report(
    run: Run,
    folder: Path,
    *,
    by: tuple[str, ...] = ("annotator",),
    judgement: Judgement | None = None,
    veiled: bool = False,
    single_file: bool = False,
    images: str | os.PathLike[str] | None = None,
    url: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write an audit as a folder of pages, or as one file.

    Parameters
    ----------
    run : Run
        The comparison.
    folder : Path
        Appears whole or not at all. An earlier report is replaced; nothing else is.
    by : tuple of str
        Grouping of the findings.
    judgement : Judgement, optional
        Checks, to be shown on the first page.
    veiled : bool
        Call annotators by numbers, and leave out what could name them.
    single_file : bool
        Fold all pages into the file ``folder``, a name that ends in ``.html``.
    images : path or str, optional
        A folder with the images, to show what was drawn over them; or a pattern of links to them.
    url : str, optional
        Pattern of links into the tool where annotations are mended.
    say : callable, optional
        Called with a sentence for the screen: how many single annotations are over their images.

    Returns
    -------
    Path
        The first page.

    Raises
    ------
    AnnqcError
        Where the folder is something else, or an input lies in it, or the system refuses.
    """
    links = Links(
        images=image_source(images),
        tool=link_pattern(url),
        spared=folder,
        root="" if single_file else "../",
    )
    (refuse_other if single_file else refuse_foreign)(folder)
    also = [links.images] if isinstance(links.images, Path) else []
    spare_inputs([folder], (run.reference, run.candidate), also=also)
    given = pseudonyms(run) if veiled else None
    checks = [] if judgement is None else check_records(judgement, given)
    told = run if given is None else with_pseudonyms(run, given)
    story = tell(told, by, veiled=veiled, checks=checks)
    gallery = Gallery(story, queue_rows(story.run), links)
    contents = _contents(story, gallery, url)
    if say is not None and gallery.with_crops:
        say(gallery.told())
    if single_file:
        write_single(fold(contents, _environment(), version=annqc.__version__), folder)
        return folder
    write_folder(contents, folder)
    return folder / "index.html"


def _contents(story: Story, gallery: Gallery, url: str | None) -> dict[str, bytes]:
    """Render all files."""
    reviews = review_files(story, gallery.queue, url=url)
    people = People(story, gallery, reviews)
    categories = Categories(story, people)
    templates = _environment()
    # A page that was tampered with by its data still could not know this word.
    shared = {"nonce": secrets.token_urlsafe(16), "version": annqc.__version__, "story": story}

    def render(name: str, root: str, values: dict[str, Any]) -> bytes:
        text = templates.get_template(name).render(root=root, **shared, **values)
        return text.encode("utf-8", "backslashreplace")

    contents = {
        "index.html": render("index.html", "", overview(story, people, categories)),
        "problems.html": render("problems.html", "", method(story, gallery)),
    }
    for one in story.people:
        page = render("annotator.html", "../", people.context(one))
        contents[f"annotators/{one.page}"] = page
    for name, values in categories.contexts().items():
        contents[f"{FOLDER}/{name}"] = render("category.html", "../", values)
    if categories.pages:
        table = render("categories.html", "../", categories.table())
        contents[f"{FOLDER}/all.html"] = table
    contents |= {f"assets/{name}": _asset(name) for name in ASSETS}
    return contents | gallery.files | reviews.contents


def _asset(name: str) -> bytes:
    if name == "plotly.min.js":
        return (files("plotly") / "package_data" / name).read_bytes()
    return (files("annqc.report.html") / "templates" / name).read_bytes()


@cache
def _environment() -> jinja2.Environment:
    """Return the templates; whatever is put into them is escaped."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("annqc.report.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.policies["json.dumps_kwargs"] = COMPACT
    made.filters |= {"count": count}
    made.globals |= {"marks": MARKS, "words": WORDS}
    return made


def _finalize(value: Any) -> Any:
    """Clean all text on its way into a page; ``Markup`` comes from our own templates."""
    return clean_lines(value) if type(value) is str else value
