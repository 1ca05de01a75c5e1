"""`dates`: the days of 1970 to 2029 in common styles -> ISO 8601.

Each day occurs once, in a style chosen by its hash. Dotted dates are day first, as in most of
Europe; dates with slashes are month first, as in the United States. Two-digit years are unique.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FIRST, LAST = date(1970, 1, 1), date(2029, 12, 31)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
STYLES = (
    "{d} {month} {y}",
    "{month} {d}, {y}",
    "{d} {mon} {y}",
    "{mon} {d} {y}",
    "{d}{th} of {month} {y}",
    "{month} {d}{th}, {y}",
    "{weekday}, {d} {month} {y}",
    "{weekday} {mon} {d}, {y}",
    "{d}.{m}.{y}",
    "{dd}.{mm}.{y}",
    "{d}. {month} {y}",
    "{m}/{d}/{y}",
    "{mm}/{dd}/{yy}",
    "{d} {mon} '{yy}",
    "{dd}-{mon}-{y}",
    "the {d}{th} of {month}, {y}",
    "{y} {mon} {d}",
    "{weekday_lower} {d} {month_lower} {y}",
)


def spelled_out(day: date) -> str:
    """A day in its style.

    >>> spelled_out(date(2017, 6, 26))
    'Monday Jun 26, 2017'
    """
    digest = int.from_bytes(blake2b(day.isoformat().encode(), digest_size=4).digest(), "big")
    month, weekday = MONTHS[day.month - 1], DAYS[day.weekday()]
    return STYLES[digest % len(STYLES)].format(
        d=day.day,
        dd=f"{day.day:02}",
        m=day.month,
        mm=f"{day.month:02}",
        y=day.year,
        yy=f"{day.year % 100:02}",
        month=month,
        mon=month[:3],
        month_lower=month.lower(),
        weekday=weekday,
        weekday_lower=weekday.lower(),
        th=ENDINGS.get(day.day, "th"),
    )


def pairs() -> list[tuple[str, str]]:
    """(date in its style, ISO 8601) of every day."""
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [(spelled_out(day), day.isoformat()) for day in days]


def read() -> pd.DataFrame:
    """Columns source and target."""
    import pandas as pd

    return pd.DataFrame(pairs(), columns=["source", "target"])
