"""Bars for the page, drawn by pygal: files that say the same each time when the figures are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goals import WATS, Figures

_DECORATION: Final = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)
"""What a picture in a page does not run, and when it was drawn."""
_OWN, _OTHER = "#1a7f37", "#8c959f"


@dataclass(frozen=True)
class Chart:
    """One chart: the medians of a group, as times of one of them, or in µs or bytes."""

    name: str
    title: str
    group: str
    unit: str
    over: str | None = None
    logarithmic: bool = False
    without: tuple[str, ...] = ()

    def values(self, figures: Figures) -> dict[str, float]:
        """By peer, the least first."""
        group = figures[self.group]
        scale = 1 / group[self.over].median if self.over else 1.0 if self.unit == "bytes" else 1e6
        found = {peer: figure.median * scale for peer, figure in group.items() if peer not in self.without}
        return dict(sorted(found.items(), key=lambda item: item[1]))


_LRU = "functools.lru_cache"
CHARTS: Final = (
    Chart("hit-text", "A hit of a text, as times of lru_cache", "hit: a text", "times", _LRU, True),
    Chart("hit-list", "A hit of 200 tuples, as times of lru_cache", "hit: 200 tuples", "times", _LRU, True),
    Chart(
        "hit-rows",
        "A hit of 200 rows of pyodbc, and their query, µs",
        "hit: 200 rows of pyodbc, PostgreSQL",
        "µs",
        None,
        True,
    ),
    Chart("miss", "A miss, µs", "miss and store", "µs", None, True),
    Chart("memory", "Bytes of an entry beyond key and value", "memory: 100,000 entries", "bytes"),
    Chart(
        "checkout",
        "connect, cursor, close over psqlODBC, µs",
        "pool: connect, cursor, close; PostgreSQL over ODBC",
        "µs",
        None,
        True,
    ),
)


def _style() -> Any:
    from pygal.style import Style  # only where charts are drawn: the tests of the page do without

    return Style(
        background="white",
        plot_background="white",
        colors=(_OTHER,),
        label_font_size=13,
        major_label_font_size=13,
        title_font_size=16,
        font_family="sans-serif",
    )


def _bars(chart: Chart, values: Mapping[str, float]) -> Any:
    import pygal

    drawn = pygal.HorizontalBar(
        style=_style(),
        js=(),
        width=760,
        height=70 + 30 * len(values),
        show_legend=False,
        logarithmic=chart.logarithmic,
        show_x_labels=False,
        show_x_guides=False,
        show_y_guides=False,
        title=f"{chart.title}{', logarithmic' if chart.logarithmic else ''}",
        value_formatter=_formatted,
    )
    drawn.uuid = chart.name
    # The first one is drawn at the bottom.
    backwards = list(reversed(values.items()))
    drawn.x_labels = [f"{peer}: {_formatted(value)}" for peer, value in backwards]
    drawn.add("", [{"value": value, "color": _color(peer)} for peer, value in backwards])
    return drawn


def _color(peer: str) -> str:
    return _OWN if peer.startswith(WATS) else _OTHER


def _formatted(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw(figures: Figures, folder: Path) -> dict[str, Chart]:
    """Draw those whose group was measured; gives them by group."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for chart in CHARTS:
        if chart.group in figures:
            text = _DECORATION.sub("", _bars(chart, chart.values(figures)).render(is_unicode=True))
            (folder / f"{chart.name}.svg").write_text(f"{text.strip()}\n", encoding="utf-8")
            drawn[chart.group] = chart
    return drawn
