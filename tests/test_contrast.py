"""Contrast of the report's colours, as WCAG 2 reckons it."""

from __future__ import annotations

import re

from crmaudit import render
from tests.report_sample import sample


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_and_marks_stand_out_by_day_and_by_night() -> None:
    style = render.html(sample()).partition("<style>")[2].partition("</style>")[0]
    day, night = (dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", part))
                  for part in style.split("@media (prefers-color-scheme: dark)", 1))  # fmt: skip
    for colours in (day, night):
        for ground in ("page", "panel"):
            for ink in ("ink", "muted", "accent", "act", "watch", "good", "info"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for mark in ("c1", "c2", "c3", "c4", "c5", "c6", "up", "down"):
            assert _contrast(colours[mark], colours["page"]) >= 3, mark
        for shade in ("h5", "h6", "h7"):
            assert _contrast(colours["paper"], colours[shade]) >= 3, shade
        for shade in ("h1", "h2", "h3", "h4"):
            assert _contrast(colours["ink"], colours[shade]) >= 4.5, shade
