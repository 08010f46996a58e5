"""`python -m benchmarks.pollution`: what becomes of the records of polluted files, as JSON."""

from __future__ import annotations

import json

from tests.intake.pollute import files
from tests.intake.pollution import judged

if __name__ == "__main__":
    tally = judged(files())
    told = {
        "files": tally.files,
        "records": tally.records,
        "loaded_pct": 100 * tally.share,
        "counted": tally.counted,
        "flagged": tally.flagged,
        "wrong": len(tally.wrong),
        "lost": len(tally.lost),
    }
    print(json.dumps(told))
