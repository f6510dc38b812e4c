"""Sphinx's configuration: `make docs` builds doc/_build/html from these pages."""

import os
import sys
import tempfile
import time
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

# the pages show times of day, and they are to be the same wherever they are built
os.environ["TZ"] = "UTC"
time.tzset()

# the notebooks' kernels have these settings alone, whatever the reader's are, and don't warn that
# they talk by TCP, which stays on this machine
IPYTHON = tempfile.TemporaryDirectory(prefix="ipython-")
profile = Path(IPYTHON.name, "profile_default")
profile.mkdir()
(profile / "ipython_kernel_config.py").write_text('get_config().IPKernelApp.log_level = "ERROR"\n')
os.environ["IPYTHONDIR"] = IPYTHON.name

project = "python-libtrace"
author = "the authors of python-libtrace 2"
project_copyright = author
release = version = installed_version("python-libtrace")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "docstrings",
    "header_tables",
    "notebooks",
    "stub_signatures",
]
# links into other projects' references need their inventories, which are fetched
if os.environ.get("PLT_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "pyarrow": ("https://arrow.apache.org/docs", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
    }
exclude_patterns = ["_build", "_ext"]
default_role = "code"
nitpicky = False
highlight_language = "python"
smartquotes = False

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_code_prompt_show = "Show the answer"  # folded away are the answers to exercises alone
nb_code_prompt_hide = "Hide the answer"
nb_render_markdown_format = "myst"  # tables in what a notebook shows

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
suppress_warnings = ["ref.python"]  # bytes in a signature is the built-in type, not Flow.bytes

html_theme = "furo"
pygments_dark_style = "a11y-high-contrast-dark"
html_title = f"python-libtrace {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
