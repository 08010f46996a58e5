"""Weekly runs in processes of their own, each of which kills itself at the n-th moment that matters, as a power cut would."""

from __future__ import annotations

import datetime as dt
import os
import signal
import smtplib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crmaudit import changes, digest, news, weekly
from crmaudit.errors import CrmauditError
from crmaudit.outbox import Outbox
from crmaudit.report import Report
from crmaudit.settings import Mail, Settings


def entry(customer: str, kind: str = "at_risk", *, amount: float | None = 100.0, **more: Any) -> news.Entry:
    """One thing to be told of a customer."""
    given = {"is_entered": True, "level": "act", "text": f"{customer} goes.", "party": f"account crm {customer}",
             "customer": customer, "customer_class": "A", "owner": "Ann", "owner_email": "ann@example.com", **more}  # fmt: skip
    return news.Entry(key=f"{kind}/account crm {customer}", kind=kind, amount=amount, **given)


def known(before: str | None, week: str, *entries: news.Entry) -> weekly.Known:
    """What an audit would have found, without the audit."""
    kinds = news.read_kinds()
    as_of = dt.date.fromisocalendar(int(week[:4]), int(week[6:]), 1).isoformat()
    told = Report("0", as_of, {}, "EUR", "account", "hybrid", 0, (), (), {})
    now = news.Observed(as_of, {one.key: one for one in entries}, frozenset())
    changed, state = changes.compare(changes.from_json(before) if before else None, now, week, kinds)
    return weekly.Known(told, kinds, changed, state, digest.Week(week, as_of, "EUR", (), (), ()), b"", "")


def audited(job: weekly.Job, box: Outbox) -> weekly.Known:
    """A customer more every week."""
    return known(box.state_before(job.week), job.week, *(entry(f"C{n}") for n in range(int(job.week[6:]))))


def run(folder: str, port: str, today: str, moment: str, *flags: str) -> int:
    """Runs the week of `today`; dies before the moment of that number, or not at all where there are fewer."""
    left = int(moment)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return called

    os.fsync = deadly(os.fsync)
    Path.rename = deadly(Path.rename)  # type: ignore[method-assign]
    Path.replace = deadly(Path.replace)  # type: ignore[method-assign]
    smtplib.SMTP.send = deadly(smtplib.SMTP.send)  # type: ignore[method-assign]
    smtplib.SMTP.getreply = deadly(smtplib.SMTP.getreply)  # type: ignore[method-assign]
    weekly._audited = audited
    place = Path(folder)
    settings = Settings(
        mail=Mail(host="localhost", port=int(port), sender="audit@example.com", ca_file=place / "ca.pem")
    )
    job = weekly.Job(place / "exports", place / "audit", settings, dt.datetime.fromisoformat(today), environment={})
    try:
        weekly.run(job, weekly.Order(("ann@example.com", "bob@example.com"), in_doubt="".join(flags)))
    except CrmauditError as error:
        (place / "said.txt").write_text(str(error), encoding="utf-8")
        return error.exit_code
    return 0


def main() -> None:
    """A child for each line of input: its arguments; answers with its exit code, or minus the signal that ended it.

    Forked, since to import everything anew takes longer than a run.
    """
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(run(*line.split()))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
