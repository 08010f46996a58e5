"""Logos that are just pictures, and colours that can be read."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from crmaudit.errors import UsageError
from crmaudit.gap import brand

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2">{}</svg>'


def taken(folder: Path, content: bytes | str) -> str:
    path = folder / "logo"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return brand.logo(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0 and so on", "jpeg"),
        (SVG.format('<g fill="url(#a)"><path d="M0 0h2"/><use href="#p"/></g>'), "svg+xml"),
        ('<?xml version="1.0"?>\n' + SVG.format("<title>Ours</title>"), "svg+xml"),
    ],
)
def test_a_picture_becomes_a_data_uri(content: bytes | str, kind: str, tmp_path: Path) -> None:
    head, _, data = taken(tmp_path, content).partition(",")
    assert head == f"data:image/{kind};base64"
    assert base64.b64decode(data) == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    "content",
    [
        SVG.format("<script>alert(1)</script>"),
        SVG.format('<image href="http://example.com/x.png"/>'),
        SVG.format('<use href="http://example.com/x.svg#a"/>'),
        SVG.format('<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/svg+xml,x"/>'),
        SVG.format('<path onload="alert(1)"/>'),
        SVG.format('<path style="fill: url(http://example.com/x)"/>'),
        SVG.format("<path style=\"fill: u\\72l('http://example.com/x')\"/>"),
        SVG.format("<style>@import url(http://example.com)</style>"),
        SVG.format('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>'),
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;"),
        "<svg>no name space</svg>",
        "<html></html>",
        "GIF89a",
        b"\x89PNG\r\n\x1a\n but no header",
        b"",
    ],
)
def test_what_is_more_than_a_picture_or_none_is_refused(content: bytes | str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        taken(tmp_path, content)


def test_a_logo_is_small(tmp_path: Path) -> None:
    assert taken(tmp_path, PNG.ljust(brand.LARGEST_LOGO, b"\0"))
    with pytest.raises(UsageError, match="512 KB"):
        taken(tmp_path, PNG.ljust(brand.LARGEST_LOGO + 1, b"\0"))


@pytest.mark.parametrize(
    ("rgb", "contrast"), [("ffffff", 1.0), ("000000", 21.0), ("767676", 4.54), ("777777", 4.48), ("ff0000", 4.0)]
)
def test_contrast_is_that_of_the_guidelines(rgb: str, contrast: float) -> None:
    assert brand.contrast_on_white(rgb) == pytest.approx(contrast, abs=0.006)


@pytest.mark.parametrize(
    ("given", "taken_as"), [("#14546E", "#14546e"), ("036", "#003366"), (None, brand.DEFAULT_ACCENT)]
)
def test_a_dark_colour_is_taken(given: str | None, taken_as: str) -> None:
    assert brand.accent(given) == taken_as


@pytest.mark.parametrize("colour", ["red", "#12345", "#14546e; } body { display: none", "", "#ggg"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(UsageError, match="takes a colour"):
        brand.accent(colour)


def test_a_light_colour_is_refused_with_one_that_would_do() -> None:
    with pytest.raises(UsageError, match="too light") as refused:
        brand.accent("#ffcc00")
    offered = str(refused.value).rpartition("; ")[2].split()[0]
    assert brand.accent(offered) == offered
