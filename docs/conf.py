"""Sphinx: the documentation of Patches; tables of options and namespaces are made from the code at build time."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

from patches import __version__  # noqa: E402 - the path is set above

project = "Patches"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "generated"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Which installed packages are vulnerable, host by host", "page_width": "1060px"}
html_copy_source = False
highlight_language = "none"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
