"""The pages in docs/ as a site and on a forge: navigation, links, public modules."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant import call_events

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = (*(ROOT / name for name in ("README.md", "CHANGELOG.md")), *DOCS.rglob("*.md"))

SITE_ALONE = {"api/index.md", "changelog.md", "performance/results.md", "readme.md"}
"""Pages that include others, or that another page names."""

_FENCE = re.compile(r"^(`{3,})[^`]*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?![a-z]+://)([^)#\s]*)#?([^)\s]*)\)")
_TOCTREE = re.compile(r"```{toctree}\n((?::.*\n)*)\n((?:[^`\n]+\n)+)```")


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", path.read_text("utf-8"))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as a forge and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    )


def title(path: Path) -> str:
    """Return the first heading of a page."""
    return prose(path).partition("# ")[2].partition("\n")[0]


def pages_in_readme() -> dict[str, list[str]]:
    """Return the pages in the README's section "Read on", by its parts."""
    section = prose(ROOT / "README.md").partition("\n## Read on\n")[2]
    parts = section.split("\n### ")[1:]
    return {
        part.partition("\n")[0]: re.findall(r"\]\(\./docs/([^)]*)\)", part)
        for part in parts
    }


def pages_in_index() -> dict[str, list[str]]:
    """Return the pages in the site's navigation, by its parts."""
    found = {}
    for options, pages in _TOCTREE.findall((DOCS / "index.md").read_text("utf-8")):
        caption = options.partition(":caption: ")[2].partition("\n")[0]
        found[caption] = pages.split()
    return found


class NavigationTests(SynchronousTestCase):
    def test_readme_and_site_have_the_same_parts(self) -> None:
        site = {
            part: [page for page in pages if page not in SITE_ALONE]
            for part, pages in pages_in_index().items()
        }
        self.assertEqual(len(site), 4)
        self.assertEqual(site, pages_in_readme())

    def test_all_pages_are_in_the_navigation(self) -> None:
        listed = {page for pages in pages_in_index().values() for page in pages}
        pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}
        self.assertEqual(pages - listed, set())

    def test_readme_names_pages_by_their_titles(self) -> None:
        section = prose(ROOT / "README.md").partition("\n## Read on\n")[2]
        named = re.findall(r"\| \[(.*?)\]\(\./docs/([^)]*)\) \|", section)
        self.assertGreater(len(named), 15)
        titles = [(title(DOCS / page), page) for _, page in named]
        self.assertEqual(named, titles)


class LinkTests(SynchronousTestCase):
    def test_files_and_anchors_exist(self) -> None:
        missing = []
        for page in PAGES:
            for name, anchor in _LINK.findall(prose(page)):
                target = (page.parent / name).resolve() if name else page
                if not target.exists() or (anchor and anchor not in anchors(target)):
                    missing.append(f"{page.relative_to(ROOT)}: {name}#{anchor}")
        self.assertEqual(missing, [])

    def test_links_are_found(self) -> None:
        self.assertEqual(
            _LINK.findall("[a](b.md#c) and [d](#e), [f](https://g.example/#h)"),
            [("b.md", "c"), ("", "e")],
        )
        self.assertIn("when-the-database-fails", anchors(DOCS / "records.md"))


class PublicModuleTests(SynchronousTestCase):
    def test_modules_say_what_is_public(self) -> None:
        """`scripts/docs` compares it with the pages of the API."""
        page = (DOCS / "api-stability.md").read_text("utf-8")
        modules = re.findall(r"^\| `(channel_aa[\w.]*)` \|", page, re.MULTILINE)
        self.assertGreater(len(modules), 25)
        for name in modules:
            with self.subTest(module=name):
                module = import_module(name)
                self.assertGreater(len(module.__all__), 0)
                missing = [each for each in module.__all__ if not hasattr(module, each)]
                self.assertEqual(missing, [])

    def test_all_events_of_calls_are_public(self) -> None:
        events = {each.__name__ for each in call_events.CallEvent.__subclasses__()}
        self.assertEqual(events - {*call_events.__all__}, set())
