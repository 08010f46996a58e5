"""The client's or consultant's look: a logo that is just a picture, and a colour that can be read on white."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

from crmaudit.errors import UsageError

LARGEST_LOGO = 512 << 10
"""Bytes; it is embedded in every file of the report."""
DEFAULT_ACCENT = "#14546e"
CONTRAST = 4.5
"""The least contrast of text against its ground: WCAG 2.2, success criterion 1.4.3."""

_SVG_ELEMENTS = frozenset(
    {
        *("svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title", "desc", "use"),
        *("symbol", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    }
)
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_XML = "{http://www.w3.org/XML/1998/namespace}"


def logo(path: Path) -> str:
    """The picture as a data URI: PNG, JPEG, or an SVG of plain shapes; UsageError says what is wrong with it."""
    content = path.read_bytes()
    if len(content) > LARGEST_LOGO:
        raise UsageError(f"{path}: a logo has at most {LARGEST_LOGO >> 10} KB")
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        kind = "png"
    elif content.startswith(b"\xff\xd8\xff"):
        kind = "jpeg"
    else:
        _check_svg(path, content)
        kind = "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _check_svg(path: Path, content: bytes) -> None:
    """A drawing of shapes that loads, runs and links to nothing; anything else is refused rather than mended."""
    if b"<!doctype" in content.lower() or b"<!entity" in content.lower():
        raise UsageError(f"{path}: an SVG with a document type is not taken; save it as plain SVG or as PNG")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 -- without a document type there are no entities to expand
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UsageError(f"{path} is no PNG, JPEG or SVG") from error
    if root.tag != f"{_SVG}svg":
        raise UsageError(f"{path} is no PNG, JPEG or SVG")
    for element in root.iter():
        name = str(element.tag).removeprefix(_SVG)
        if name not in _SVG_ELEMENTS:
            raise UsageError(f"{path}: <{name[:40]}> is more than a drawing; save the logo as plain shapes or as PNG")
        for attribute, value in element.attrib.items():
            if not _is_harmless(attribute.removeprefix(_XLINK).removeprefix(_XML), value):
                raise UsageError(f"{path}: {attribute[:40]} is more than a drawing; save it as plain shapes or as PNG")


def _is_harmless(attribute: str, value: str) -> bool:
    if attribute.lower().startswith("on") or "{" in attribute:
        return False
    if attribute == "href":
        return value.startswith("#")
    outside = re.sub(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)", "", value)
    return not re.search(r"url\(|@import|javascript:|expression\(|\\", outside, re.IGNORECASE)


def accent(colour: str | None) -> str:
    """The colour as #rrggbb; UsageError where it is none, or too light to be read on white, with one that is not."""
    if colour is None:
        return DEFAULT_ACCENT
    short = re.fullmatch(r"#?([0-9a-f])([0-9a-f])([0-9a-f])", colour.strip().lower())
    full = "".join(digit * 2 for digit in short.groups()) if short else colour.strip().lower().removeprefix("#")
    if not re.fullmatch(r"[0-9a-f]{6}", full):
        raise UsageError(f"--accent takes a colour such as {DEFAULT_ACCENT}, not {colour!r}")
    if contrast_on_white(full) < CONTRAST:
        raise UsageError(
            f"--accent #{full} is too light for text on white ({contrast_on_white(full):.1f} to 1, "
            f"{CONTRAST} is wanted); #{_darker(full)} would do"
        )
    return f"#{full}"


def contrast_on_white(rgb: str) -> float:
    """The contrast of a colour (six hex digits) against white, 1 to 21, by WCAG 2.2's relative luminance."""
    red, green, blue = (int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4))
    light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 1.05 / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05)


def _darker(rgb: str) -> str:
    """The same hue, as dark as it takes."""
    channels = [int(rgb[i : i + 2], 16) for i in (0, 2, 4)]
    found = rgb
    for step in range(99, -1, -1):
        found = "".join(f"{channel * step // 100:02x}" for channel in channels)
        if contrast_on_white(found) >= CONTRAST:
            break
    return found
