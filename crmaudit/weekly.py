"""The weekly run: audit, compare with what the last mail knew, write the letters, hand them over."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crmaudit import analysis, changes, charts, digest, news, querying, render, report, text, workspace
from crmaudit.changes import Changes, State
from crmaudit.database import Database
from crmaudit.errors import FailedError, MailError, UsageError
from crmaudit.methods import weekly_counts
from crmaudit.outbox import FOLDER, Letter, Outbox
from crmaudit.outputs import mail, png
from crmaudit.plot import Column
from crmaudit.resources import folder
from crmaudit.settings import Settings

STALE_DAYS = 14
"""Exports older than this when a mail is written are old news, and the mail says so."""
MOST_WEEKS = 8
"""So many weeks that entered since the last mail are each held against what was to be expected."""
PICTURE_WEEKS = 52
DRY_RUN = "dry-run"
_NOBODY = "crmaudit@localhost"


@dataclass(frozen=True)
class Order:
    """Who is to be written to, and how."""

    to: tuple[str, ...]
    per_owner: bool = False
    attach: bool = False
    dry_run: bool = False
    in_doubt: str = ""
    """What becomes of letters that may not have arrived: "repeat", "drop", or they are told of."""


@dataclass(frozen=True)
class Job:
    """One run: what goes in, where it is kept, and the moment it runs at, in the zone of the settings."""

    exports: Path
    out: Path
    settings: Settings
    now: dt.datetime
    queries: tuple[Path, ...] = ()
    reviewed: Path | None = None
    limits: analysis.Limits = field(default_factory=analysis.Limits)
    environment: Mapping[str, str] | None = None
    progress: analysis.Progress = lambda _: None

    @property
    def week(self) -> str:
        year, week, _ = self.now.isocalendar()
        return f"{year}-W{week:02d}"


@dataclass(frozen=True)
class Known:
    """What the audit found, and how it differs from what the last mail knew."""

    told: report.Report
    kinds: tuple[news.Kind, ...]
    changes: Changes
    state: State
    week: digest.Week
    picture: bytes
    picture_words: str


def run(job: Job, order: Order) -> list[Path]:
    """Writes and sends what is due; with `dry_run` the paths of the letters that would go out, and nothing is sent.

    MailError where a letter has not been delivered, or may or may not have been: it is kept, and goes out, or is told
    of again, at the next run. FailedError where a question failed; the mail has the others. LockedError where another
    run is at work in the folder; other errors as in `analyze`.
    """
    for one in order.to:
        mail.address(one)
    if not order.to:
        raise UsageError("a weekly mail wants at least one --to ADDRESS")
    environment = os.environ if job.environment is None else job.environment
    with workspace.holding(job.out) as out:
        box = Outbox(out / FOLDER)
        known = None
        if order.dry_run:
            return _dry_run(job, order, box, _audited(job, box))
        with mail.Courier(job.settings.mail, mail.login(job.settings.mail, environment)) as courier:
            problems, is_reachable = _deliver(box, courier, order.in_doubt)
            if _is_due(box, job.week, order):
                known = _audited(job, box)
                box.add(job.week, changes.to_json(known.state), _letters(job, order, box, known))
                if is_reachable:
                    problems, _ = _deliver(box, courier, "")
                else:
                    problems = [*problems, *_waiting(box, job.week)]
        box.clear()
    if problems:
        raise MailError("\n".join([*dict.fromkeys(problems), f"Letters are kept in {job.out / FOLDER}."]))
    if known and known.told.failed:
        raise FailedError(known.told.failed)
    return []


def _is_due(box: Outbox, week: str, order: Order) -> bool:
    """Whether somebody who is to be written to has no letter of this week."""
    letters = box.letters(week)
    addressed = {letter.recipient for letter in letters if not letter.owner}
    return not addressed.issuperset(order.to) or (order.per_owner and not any(letter.owner for letter in letters))


def _deliver(box: Outbox, courier: mail.Courier, in_doubt: str) -> tuple[list[str], bool]:
    """Hands over all that waits; what went wrong, and whether the server can be reached at all."""
    problems: list[str] = []
    is_reachable = True
    for week, letter in list(box.undelivered()):
        name = f"{week} to {letter.recipient}"
        doubted = letter.status == "handed over"
        if doubted and in_doubt == "drop":
            box.mark(week, letter, "dropped")
        elif doubted and in_doubt != "repeat":
            problems.append(
                f"{name} is in doubt: it was handed over, and nobody knows whether it was accepted. Ask for it, then "
                "run once with --in-doubt repeat (under the same Message-ID) or --in-doubt drop"
            )
        elif not is_reachable:
            problems.append(f"{name} waits for the next run")
        else:
            try:
                _hand_over(box, courier, week, letter)
            except mail.UnreachableError as error:
                is_reachable = False
                problems.append(f"{name} waits for the next run: {error}")
            except mail.NotSentError as error:
                # Refused this time; the first time it may have been accepted all the same.
                box.mark(week, letter, "handed over" if doubted else "waiting", str(error))
                problems.append(f"{name} waits for the next run: {error}")
            except mail.InDoubtError as error:
                problems.append(f"{name} is in doubt: {error}")
    return problems, is_reachable


def _hand_over(box: Outbox, courier: mail.Courier, week: str, letter: Letter) -> None:
    courier.send(box.mail(week, letter), letter.recipient, before_data=lambda: box.mark(week, letter, "handed over"))
    box.mark(week, letter, "sent")


def _waiting(box: Outbox, week: str) -> list[str]:
    return [
        f"{name} to {letter.recipient} waits for the next run"
        for name, letter in box.undelivered()
        if name == week and letter.status == "waiting"
    ]


def _dry_run(job: Job, order: Order, box: Outbox, known: Known) -> list[Path]:
    place = box.folder / DRY_RUN
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = []
    for letter, content in _letters(job, order, box, known):
        path = place / f"{job.week}-{letter.file}"
        path.write_bytes(content)
        paths.append(path)
    return paths


def _audited(job: Job, box: Outbox) -> Known:
    """Audits the exports, reads what holds now and compares it with what the last mail knew."""
    told = analysis.analyze(
        job.exports, job.out, job.settings, queries=job.queries, reviewed=job.reviewed, limits=job.limits,
        today=job.now.date(), progress=job.progress,
    )  # fmt: skip
    kinds = news.read_kinds()
    before = box.state_before(job.week)
    earlier = changes.from_json(before) if before else None
    with tempfile.TemporaryDirectory() as scratch:
        con = querying.open_locked(job.out / "audit.duckdb", Path(scratch))
        try:
            db = Database(con, Path(scratch))
            observed = news.observe(db, kinds, told, earlier.kept if earlier else ())
            series = _series(db)
        finally:
            con.close()
    snoozed = [name for name, until in job.settings.snooze.items() if until >= job.now.date()]
    changed, state = changes.compare(earlier, observed, _fingerprint(told), kinds, snoozed)
    flows, cut_short = ((), ()) if changed.is_unchanged else _flows(series, told, earlier)
    week = digest.Week(
        name=job.week,
        as_of=told.as_of or "",
        currency=told.currency,
        flows=flows,
        data=(*_stale(told, job.now.date()), *cut_short, *_unknown(kinds, observed, earlier)),
        notes=tuple(_doubts(box)),
    )
    words, picture = _picture(series, flows, told) if flows else ("", b"")
    return Known(told, kinds, changed, state, week, picture, words)


def _fingerprint(told: report.Report) -> str:
    """The same data in other files or another format have the same."""
    data = json.loads(report.to_json(told))
    kept = json.dumps([data[name] for name in ("as_of", "currency", "grain", "audits", "summary")], sort_keys=True)
    return hashlib.sha256(kept.encode()).hexdigest()


def _series(db: Database) -> list[tuple[str, int, int, bool]]:
    """(flow, week, count, whether its export has nothing in the last week), the last week being week 0."""
    sql = (folder("queries") / "weekly" / "flows.sql").read_text(encoding="utf-8")
    return [(str(row[0]), int(row[1]), int(row[2]), bool(row[3])) for row in db.con.execute(sql).fetchall()]


def _flows(
    series: Iterable[tuple[str, int, int, bool]], told: report.Report, before: State | None
) -> tuple[tuple[digest.Flow, ...], tuple[str, ...]]:
    """The last week of each flow against what was to be expected, and the exports that seem to end before it.

    Silence in an export that ended early is no silence: a last week without any record is told as a doubt about the
    export where chance would hardly leave it empty.
    """
    import polars as pl  # noqa: PLC0415

    rows = list(series)
    table = pl.DataFrame({"flow": [r[0] for r in rows], "week": [r[1] for r in rows], "count": [r[2] for r in rows]},
                         schema={"flow": pl.String, "week": pl.Int64, "count": pl.Int64})  # fmt: skip
    entered = min(MOST_WEEKS, max(1, _days_since(before, told) // 7))
    found = weekly_counts.estimate(table, entered=entered).tables["weeks"]
    ended = {row[0] for row in rows if row[3]}
    # A week without a purchase leaves the as-of date where it was: these very days were judged by the last mail.
    is_told = before is not None and before.as_of == told.as_of
    flows, doubts = [], []
    for row in found.iter_rows(named=True):
        flow = digest.Flow(row["flow"], row["count"], row["expected"], row["low"], row["high"],
                           row["is_news"] and not is_told)  # fmt: skip
        if row["week"] == 0 and flow.name in ended and flow.low > 0:
            doubts.append(f"{flow.name}: none in the last week. Did nothing come in, or does the export end early?")
        elif row["week"] == 0 or flow.is_news:
            ago = f" {-row['week']} weeks before" if row["week"] < 0 else ""
            flows.append(replace(flow, name=flow.name + ago))
    return tuple(flows), tuple(doubts)


def _days_since(before: State | None, told: report.Report) -> int:
    if before is None or not before.as_of or not told.as_of:
        return 0
    return (dt.date.fromisoformat(told.as_of) - dt.date.fromisoformat(before.as_of)).days


def _picture(
    series: Iterable[tuple[str, int, int, bool]], flows: tuple[digest.Flow, ...], told: report.Report
) -> tuple[str, bytes]:
    """A year of weeks of the flow that is news, else of the largest."""
    chosen = (
        max(flows, key=lambda flow: (flow.is_news, flow.expected))
        .name.partition(" weeks before")[0]
        .rstrip("0123456789 ")
    )
    last = dt.date.fromisoformat(told.as_of or "")
    weeks = [(last + dt.timedelta(weeks=row[1]), row[2]) for row in series if row[0] == chosen][-PICTURE_WEEKS:]
    columns = {
        "x": Column([day.isoformat() for day, _ in weeks], "date", "week up to"),
        "y": Column([count for _, count in weeks], "n", f"{chosen} a week"),
    }
    words = f"{chosen} in each of {text.count(len(weeks), 'week')} up to {told.as_of}."
    return words, png.png(charts.draw("line", columns, {"x": "x", "y": "y"}))


def _stale(told: report.Report, today: dt.date) -> Iterable[str]:
    if told.as_of and (age := (today - dt.date.fromisoformat(told.as_of)).days) > STALE_DAYS:
        yield f"The exports end on {told.as_of}, {text.count(age, 'day')} before this mail."


def _unknown(kinds: Iterable[news.Kind], now: news.Observed, before: State | None) -> Iterable[str]:
    """Kinds that the last mail knew something of, and of which these exports tell nothing."""
    for kind in kinds:
        kept = sum(one.entry.kind == kind.id for one in before.kept.values()) if before else 0
        if kind.id in now.unknown and kept:
            yield f"{kind.title}: these exports do not tell; what was known of it stays as it was."


def _doubts(box: Outbox) -> Iterable[str]:
    for week, letter in box.undelivered():
        if letter.status == "handed over":
            yield f"The mail of {week} to {letter.recipient} may not have arrived. Who lacks it can have it sent again."


def _letters(job: Job, order: Order, box: Outbox, known: Known) -> list[tuple[Letter, bytes]]:
    """The letters that nobody has been written yet."""
    written = box.letters(job.week)
    addressed = {letter.recipient for letter in written if not letter.owner}
    owners, without = _owners(order, job.settings, known) if order.per_owner else ({}, [])
    known = replace(known, week=replace(known.week, notes=(*known.week.notes, *without)))
    wanted = [("", recipient) for recipient in dict.fromkeys(order.to) if recipient not in addressed]
    if not any(letter.owner for letter in written):
        wanted += sorted(owners.items())
    sender = job.settings.mail.sender or _NOBODY
    letters = []
    for number, (owner, recipient) in enumerate(wanted, len(written) + 1):
        mark = hashlib.sha256(f"{job.out.resolve()}\n{recipient}\n{owner}".encode()).hexdigest()[:20]
        message_id = f"<{job.week}.{mark}@{mail.domain_of(sender)}>"
        content = _content(job, order, known, owner)
        bytes_ = mail.message(content, sender=sender, recipient=recipient, message_id=message_id, sent_at=job.now)
        letters.append((Letter(recipient, message_id, f"{number}.eml", owner=owner), bytes_))
    return letters


def _owners(order: Order, settings: Settings, known: Known) -> tuple[dict[str, str], list[str]]:
    """The address of each colleague of whose customers there is something to tell, and who has none.

    An address that stands in an export gets a letter only where its domain is the sender's or a recipient's: an export
    must not be able to send customers' names to strangers.
    """
    trusted = {mail.domain_of(one) for one in (settings.mail.sender, *order.to)}
    told = (*known.changes.new, *known.changes.cleared, *(one.entry for one in known.changes.undone))
    found: dict[str, str] = {}
    without: set[str] = set()
    for entry in told:
        if not entry.owner:
            continue
        own = settings.mail.owners.get(entry.owner)
        if own is not None:
            found[entry.owner] = mail.address(own)
        elif mail.is_address(entry.owner_email) and mail.domain_of(entry.owner_email) in trusted:
            found[entry.owner] = entry.owner_email
        else:
            without.add(text.clean(entry.owner))
    return found, [
        f"No letter to {name}: no address of a known domain; [mail.owners] can give one." for name in sorted(without)
    ]


def _content(job: Job, order: Order, known: Known, owner: str) -> mail.Content:
    changed = digest.of_owner(known.changes, owner) if owner else known.changes
    page = digest.digest(changed, replace(known.week, notes=()) if owner else known.week, known.kinds, owner=owner,
                         picture="" if owner else known.picture_words)  # fmt: skip
    html, plain = render.weekly(page)
    pictures = {"week": known.picture} if page.picture else {}
    attachments = {}
    if order.attach and not owner:
        attachments["report.html"] = (job.out / "report.html").read_bytes()
    return mail.Content(page.subject, plain, html, pictures, attachments)
