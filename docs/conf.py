"""How Sphinx builds the documentation: ``make docs``. Nothing is fetched from a network."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from datasets_me.core.version import __version__  # noqa: E402 - found by the line above

project = "me-datasets"
author = "the me-datasets developers"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "me_docs", "me_docs.formulas"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["me_docs", "_build"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
default_role = "code"

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"me-datasets {__version__}"
html_static_path: list[str] = []
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
