"""Words that have broken somebody's report: a handful of our own, and a slice of a public corpus where it is there."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

HANDFUL = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- --> ]]> <![CDATA[ x",
    "{{ 7*7 }} {% raw %} {# x #} ${7*7}",
    "# heading\n\n- list\n| a | b |\n|---|---|\n```\ncode",
    "[link](javascript:alert(1)) ![x](http://example.com/x.png) <http://example.com> www.example.com",
    "**bold** _em_ ~~del~~ `code` \\ \\\\ &lt;b&gt; &#60; * + - 1. 2) === ---",
    "[red]rich[/red] [/] [link=http://example.com]x[/link] [bold",
    "\x1b[31mred\x1b[0m \x07 \x9b31m \x00 \x7f \x85 bell",
    "\u202eevil\u202c \u2066x\u2069 \u200b \ufeff \ufffe \uffff \ud800 \U0001ffff",
    "a" * 500,
    "e" + "\u0301" * 500,
    "=cmd|' /C calc'!A0",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 漢字 עברית العربية \u2028 \u2029 x",
)


@cache
def corpus(every: int) -> tuple[str, ...]:
    """Each `every`th payload of the shared corpus; empty where the corpus is not beside the checkout."""
    default = Path(__file__).resolve().parents[1].parent / "shared"
    path = Path(os.environ.get("CRMAUDIT_SHARED", default)) / "corpora" / "payloads.jsonl"
    if not path.exists():
        return ()
    with path.open(encoding="utf-8") as lines:
        return tuple(str(json.loads(line)["payload"]) for i, line in enumerate(lines) if i % every == 0)
