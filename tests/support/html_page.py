"""Reads an HTML page as a test needs it: the tables below each heading."""

from __future__ import annotations

from collections import Counter, defaultdict
from html.parser import HTMLParser


class HtmlPage(HTMLParser):
    """A page that has been read.

    Attributes:
        tables: the rows of cells below each heading of level 2, by its text.
        elements: how many of each element there are.
        attributes: all attributes.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: defaultdict[str, list[list[str]]] = defaultdict(list)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self._heading = ""
        self._text: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        if tag == "tr":
            self.tables[self._heading].append([])
        elif tag in {"h2", "th", "td"}:
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"h2", "th", "td"} or self._text is None:
            return
        text = "".join(self._text).strip()
        self._text = None
        if tag == "h2":
            self._heading = text
        else:
            self.tables[self._heading][-1].append(text)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def row(self, name: str, *, below: str = "") -> list[str]:
        """Return what follows the first cell of a row, without empty cells.

        Args:
            name: the text of the first cell.
            below: the heading above its table; empty: any.
        """
        tables = [self.tables[below]] if below else self.tables.values()
        [row] = [each for table in tables for each in table if each[:1] == [name]]
        return [each for each in row[1:] if each]
