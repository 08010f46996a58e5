"""Charts as PNG, for what shows no SVG: Markdown on a forge, mail."""

from __future__ import annotations

import vl_convert

_SCALE = 2
"""Pixels of the picture for one of the chart, for screens that have as many."""


def png(svg: str) -> bytes:
    """A chart's SVG as a picture on white ground, since its reader may sit before a dark page."""
    head, _, shapes = svg.partition(">")
    on_white = (
        f'{head.replace("sans-serif", "Liberation Sans")}><rect width="100%" height="100%" fill="#ffffff"/>{shapes}'
    )
    drawn: bytes = vl_convert.svg_to_png(on_white, scale=_SCALE)
    return drawn
