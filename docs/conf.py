"""Sphinx configuration. `make docs` builds with warnings as errors, and needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import annqc

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "annqc"
author = "The annqc developers"
project_copyright = "The annqc developers"
version = release = annqc.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.strikethrough"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"annqc {release}"
html_copy_source = False

# Single backquotes in docstrings name things of annqc; what they name is shown as code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters section says it, with shapes and units
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False


class Commands(SphinxDirective):
    """``{commands}``: what ``--help`` says of each command, so that the page cannot lag."""

    def run(self) -> list[nodes.Node]:
        """Return one section a command."""
        import click

        from annqc.cli import main

        context = click.Context(main, info_name="annqc")
        sections: list[nodes.Node] = []
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            if command is None or command.hidden:
                continue
            title = f"annqc {name}"
            section = nodes.section(ids=[nodes.make_id(title)])
            text = command.get_help(click.Context(command, info_name=title))
            section += [nodes.title(text=title), nodes.literal_block(text, text, language="none")]
            sections.append(section)
        return sections


def setup(app: Sphinx) -> None:
    """Make the directives of these pages known."""
    app.add_directive("commands", Commands)
