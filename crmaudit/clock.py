"""The one place that asks what day it is. Commands ask it, everything below is told."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def now(timezone: str) -> dt.datetime:
    """This moment in the zone of the settings."""
    return dt.datetime.now(ZoneInfo(timezone))
