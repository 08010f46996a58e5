"""A chart's SVG as a picture for places that show no SVG: mail programs, Markdown on a forge."""

from __future__ import annotations

import vl_convert


def from_svg(svg: str, scale: float = 2.0) -> bytes:
    """The PNG, on white whatever surrounds it; `scale` pixels for each of the SVG's."""
    opened = svg.index(">") + 1
    paper = '<rect width="100%" height="100%" fill="#ffffff"/>'
    png: bytes = vl_convert.svg_to_png(svg[:opened] + paper + svg[opened:], scale=scale)
    return png
