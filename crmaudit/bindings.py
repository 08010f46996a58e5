"""Whether the SQL of audits binds: every table and column it names is there, with nothing in them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb

from crmaudit.analysis import Known, analyze_loaded, lock
from crmaudit.audits import Audit
from crmaudit.database import Database
from crmaudit.errors import AuditFileError
from crmaudit.settings import Settings


def bind(audits: Iterable[Audit]) -> None:
    """Runs the audits on empty tables; AuditFileError where a block does not bind."""
    audits = tuple(audits)
    with tempfile.TemporaryDirectory() as scratch:
        con = duckdb.connect()
        try:
            db = Database(con, Path(scratch))
            analyze_loaded(db, Settings(), dt.date(2000, 1, 1), (), Known(), lambda _: None)
            lock(con, Path(scratch))
            for audit in audits:
                con.execute(f'create schema "{audit.id}"')
                for block in (*audit.tables, audit.metrics):
                    try:
                        con.execute(f"create temp table {block.name} as {block.sql}")
                    except duckdb.PermissionException as error:
                        raise AuditFileError(f"{audit.path}:{block.line}: {error}") from error
                    except (duckdb.BinderException, duckdb.CatalogException) as error:
                        if any(call.table == earlier.name for call in audit.methods for earlier in audit.tables):
                            continue
                        raise AuditFileError(f"{audit.path}:{block.line}: {error}") from error
                for block in (*audit.tables, audit.metrics):
                    con.execute(f"drop table if exists temp.{block.name}")
        finally:
            con.close()
