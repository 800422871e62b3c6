"""The configuration of Sphinx, which makes a site of this folder: ``scripts/docs``."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "channel-aa"
author = "the authors of channel-aa"
copyright = author  # noqa: A001 - Sphinx's name
version = release = version_of("channel-aa")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "public_api",
]
exclude_patterns = ["extensions"]
nitpicky = True
nitpick_ignore_regex = [
    # Of other libraries: the site is built without a network.
    (
        r"py:.*",
        r"(autobahn|collections|datetime|decimal|pathlib|pydantic|twisted|zope)\..*",
    ),
    (r"py:.*", r"(CancelledError|Deferred|IReactorTime|IService|Mapping|Sequence)"),
    (r"py:.*", r"channel_aa\..*\.[A-Z]"),  # type variables
    # Arguments for tests and metrics, and what one function returns for another.
    (r"py:class", r"channel_aa\.ari\.(measurements|wire\.(connection|requests))\..*"),
    (r"py:class", r"channel_aa\.simulator\.(script|phone_behaviour)\..*"),
]

myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 120
autodoc_default_options = {
    "inherited-members": (
        "object, BaseModel, BaseException, Enum, SecretStr, Service, Struct"
    ),
    "exclude-members": "conflicts, file_keys, model_config, replace, without_faulty",
    "members": True,
}
default_role = "py:obj"

html_theme = "furo"
html_title = "channel-aa"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
