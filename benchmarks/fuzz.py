"""`python -m benchmarks.fuzz [COUNT]`: takes in mutated exports one by one; prints what became of them as JSON.

A crash, a file that yields neither a table nor a reason, or a row that is not accounted for ends it with the case.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.intake.test_fuzz import ALL, survive

if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ALL
    with tempfile.TemporaryDirectory(prefix="crmaudit-") as place:
        read, rows = survive(count, Path(place))
    print(json.dumps({"files": count, "read": read, "rows": rows}))
