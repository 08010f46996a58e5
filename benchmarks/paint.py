"""How soon a report paints: `python -m benchmarks.paint PAGE [PAGE ...]` prints a line of JSON for each.

Chromium opens the page in a fresh profile as often as TIMES says, and tells the time from the start of the navigation
to the first text or picture on the screen (first-contentful-paint of the Paint Timing standard).
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.analyze import ROOT, RunError, run

TIMES = 7
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOOK = ROOT / "build" / "browser" / "look.mjs"
"""What drives the browser; `make a11y` puts it there, with what it wants."""


def first_paint_ms(page: Path) -> float:
    """The median in milliseconds; RunError where there is no browser, or the page is never painted."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not (LOOK.parent / "node_modules").is_dir():
        raise RunError("paint wants Chromium, and `make a11y` once")
    told = run(["node", str(LOOK), browser, "--paint", *[str(page)] * (TIMES + 1)]).output.splitlines()
    # The first one warms the browser up.
    paints = [json.loads(line)["paint"] for line in told][1:]
    if None in paints:
        raise RunError(f"{page} was never painted")
    return float(statistics.median(paints))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps({"page": name, "first_paint_ms": round(first_paint_ms(Path(name).resolve()), 1)}))
