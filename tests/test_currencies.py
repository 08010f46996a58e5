"""Money in a currency without a rate is in no sum: its source says how much it is, and a finding asks for the rate."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import crmaudit

INVOICES = """invoice_id,customer_name,issue_date,net_amount,currency
1,Acme Ltd,2026-01-05,100.00,EUR
2,Acme Ltd,2026-02-05,50.50,usd
3,Bolt SA,2026-03-05,70.25,USD
4,Bolt SA,2026-04-05,10.00,GBP
5,Bolt SA,2026-05-05,30.00,
6,Acme Ltd,2026-05-06,20.00,EUR
"""
DEALS = """deal id,account name,stage,amount,currency,created date,close date
d1,Acme Ltd,Closed Won,900.50,CHF,2026-01-01,2026-02-01
d2,Acme Ltd,Closed Won,,CHF,2026-01-01,2026-02-01
"""


def test_what_has_no_rate_is_told_and_not_added(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "invoices.csv").write_text(INVOICES)
    (exports / "deals.csv").write_text(DEALS)
    (exports / "crmaudit.toml").write_text("[rates]\nGBP = 2.0\n")
    ran = crmaudit("analyze", exports, "--out", tmp_path / "audit", "--as-of", "2026-06-30", "--currency", "EUR")
    assert ran.code == 0, ran.said
    report = json.loads((tmp_path / "audit" / "audit.json").read_text())
    apart = {source["path"]: source["unconverted"] for source in report["sources"]}
    assert apart == {
        "deals.csv": [{"currency": "CHF", "rows": 1, "amount": 900.5}],
        "invoices.csv": [{"currency": "USD", "rows": 2, "amount": 120.75}],
    }
    said = [f["text"] for f in report["findings"] if f["level"] == "watch" and "no rate is known" in f["text"]]
    assert sorted(text.partition(" are in no sum")[0] for text in said) == [
        "120.75 USD of invoices (2 rows)",
        "900.50 CHF of opportunities (1 row)",
    ]
    assert any(text.endswith("[rates] USD = ...") for text in said)
    ranking = next(a for a in report["audits"] if a["id"] == "abc_ranking")
    assert ranking["metrics"]["revenue"]["value"] == 100 + 20 + 30 + 2 * 10
