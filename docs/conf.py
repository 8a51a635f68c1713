"""Sphinx: the documentation of Patches; tables of options and namespaces are made from the code at build time."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

from manual import sphinx_pages  # noqa: E402 - the path is set above

from patches import __version__  # noqa: E402 - likewise

project = "Patches"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx_design", "generated"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Patches {__version__}"
html_static_path = ["_static"]
html_css_files = ["patches.css"]
pygments_style, pygments_dark_style = "friendly", "github-dark"
html_copy_source = False
html_show_copyright = False
smartquotes = False  # which would make one dash of the two before an option
highlight_language = "none"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Their sources are made by docs/_extensions/manual.py: see "make man".
man_pages = sphinx_pages()
