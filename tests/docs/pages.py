"""The Markdown pages as data: headings, links, code blocks, and the files that a page tells to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_FILE = re.compile(r"`(?P<path>[^`\s]+)`:\n\n\Z")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block; `path` is set when the page says "`path`:" on the line before it."""

    page: Path
    line: int
    language: str
    text: str
    path: str | None

    @property
    def where(self) -> str:
        """The name of a test case about it."""
        return f"{name_of(self.page)}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    """The page's name from the root of the project."""
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    """The page's text."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """The page's fenced code blocks."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        named = _FILE.search(text, 0, found.start())
        indent = len(found["indent"])
        lines = [line[indent:] for line in found["text"].splitlines(keepends=True)]
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], "".join(lines), named["path"] if named else None)


def all_blocks(*languages: str) -> list[Block]:
    """The code blocks of all pages in these languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]


def write_files(page: Path, folder: Path) -> None:
    """Write the files that the page tells to write; of one that comes twice, the last."""
    for block in blocks(page):
        write_file(block, folder)


def write_file(block: Block, folder: Path) -> None:
    """Write the block's file, if it is one."""
    if block.path:
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")


def prose(page: Path) -> str:
    """The page without its fenced code blocks."""
    return _FENCE.sub("", text_of(page))


def headings(page: Path, level: int) -> list[str]:
    """The page's headings of one level, without the marks of code."""
    return [title.replace("`", "") for marks, title in _HEADING.findall(prose(page)) if len(marks) == level]


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown reader gives to the page's headings."""
    titles = [title for _, title in _HEADING.findall(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    """Where the page's links lead."""
    return _LINK.findall(_CODE.sub("", prose(page)))


def code_spans(page: Path) -> list[str]:
    """The page's inline code."""
    return _CODE.findall(prose(page))


def section(page: Path, title: str) -> str:
    """The text below a heading, up to the next heading of the same or a higher level."""
    text = text_of(page)
    start = re.search(rf"^(#+) `?{re.escape(title)}`?$", text, re.MULTILINE)
    assert start, f"{name_of(page)} has no heading {title!r}"
    end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.MULTILINE).search(text, start.end())
    return text[start.end() : end.start() if end else len(text)]
