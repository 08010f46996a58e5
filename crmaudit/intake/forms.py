"""The written forms of dates, numbers and texts, each as one regular expression and one SQL expression.

Nothing here is lenient: an expression yields a value only for a text that its form matches in full.
Texts are SQL expressions of VARCHAR; results are TIMESTAMP, DECIMAL(18,4), DOUBLE, BOOLEAN or VARCHAR expressions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from crmaudit.intake.sql import listed, literal

_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
_CLOCK = rf"(,?[ T]+({_TIME}|\d{{1,2}}:\d{{2}}(:\d{{2}})? ?[AaPp]\.?[Mm]\.?))?"
_NAME = r"[^\d\s.,:/()-]+"
_GAP = r"(?:[-/. ]|del? )*"
_WEEKDAY = rf"({_NAME}\.?,? )?"

DATE_FORMS: Mapping[str, str] = {
    "iso": r"\d{4}-\d{2}-\d{2}",
    "iso_time": rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME}",
    "iso_zone": rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME} ?(Z|UTC|GMT|[+-]\d{{2}}(:?\d{{2}})?)",
    "ymd": rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_CLOCK}",
    "compact": r"(19|20|21)\d{6}",
    "compact_time": r"(19|20|21)\d{6}[T ]?\d{6}",
    "numeric": rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}{_CLOCK}",
    "day_month": rf"{_WEEKDAY}\d{{1,2}}(st|nd|rd|th|er|[.º])?{_GAP}{_NAME}\.?,?{_GAP}\d{{4}}{_CLOCK}",
    "month_day": rf"{_WEEKDAY}{_NAME}\.? \d{{1,2}}(st|nd|rd|th)?,? \d{{4}}{_CLOCK}",
    "epoch_s": r"\d{10}",
    "epoch_ms": r"\d{13}",
    "serial": r"[2-6]\d{4}(\.\d+)?",
    "short_year": rf"\d{{1,2}}[-/. ]({_NAME}|\d{{1,2}})[-/. ]\d{{2}}{_CLOCK}",
}
"""The forms of a date, in the order in which they are tried; `numeric` may be day-first or month-first."""

COUNTED_FORMS = ("epoch_s", "epoch_ms", "serial")
"""Bare numbers that are dates only where the whole column is such numbers."""

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_DATE_FORMATS = "[" + ", ".join(f"'%Y-%m-%d{clock}'" for clock in _CLOCKS) + "]"

_PROVES = (
    r"\d{1,3}(@\d{3})+#\d+",
    r"\d{1,3}(@\d{3}){2,}",
    r"\d{1,3}([ '’]\d{3})+#\d+",
    r"\d*#(\d{1,2}|\d{4,})",
    r"\d{4,}#\d{3}",
    r"0\d*#\d{3}",
    r"#\d{3}",
    r"\d+#",
)
"""Numbers that can be read in one way only; # is the decimal mark, @ the mark between thousands."""
PROVES_DOT = "|".join(_PROVES).replace("@", ",").replace("#", r"\.")
PROVES_COMMA = "|".join(_PROVES).replace("@", r"\.").replace("#", ",")
AMBIGUOUS_NUMBER = r"[1-9]\d{0,2}[.,]\d{3}"
"""One mark with three digits after it: 1.234 is a thousand or one and a bit."""
PLAIN_INTEGER = r"\d+|\d{1,3}([ '’]\d{3})+"
DOT_MARK = r"(\d+|\d{1,3}([, '’]\d{3})+)(\.\d*)?|\.\d+"
COMMA_MARK = r"(\d+|\d{1,3}([. '’]\d{3})+)(,\d*)?|,\d+"
SCIENTIFIC = r"[-+]?\d+(\.\d+)?[eE][-+]?\d{1,3}"

_CURRENCY = r"(?:[A-Z]{3}|US\$|[$€£¥₹]|kr\.?|zł|Fr\.)"
NUMBER = rf"([-+−(]?)\s*(?:{_CURRENCY})?\s*([-+−]?)\s*(\d[\d.,'’ ]*[\d.,]|\d|[.,]\d+)\s*(?:{_CURRENCY}|%)?\s*([)-]?)"

QUICK_FORMS: Mapping[str, str] = {
    "iso": DATE_FORMS["iso"],
    "iso_time": DATE_FORMS["iso_time"],
    "integer": r"[-+]?\d{1,14}",
    "whole": r"[-+]?\d+",
    "decimal": r"[-+]?\d{1,14}(\.\d{1,4})?",
    "float": r"[-+]?\d+(\.\d+)?",
}
"""Forms whose values a plain cast reads rightly, given `quick_test`."""

_SHORT = 7
MOST_CONTROLS = "[\\x00-\\x08\\x0b-\\x1f\\x7f\\x{80}-\\x{9f}\\x{feff}\\x{200b}]"
ALL_CONTROLS = "[\\x00-\\x1f\\x7f\\x{80}-\\x{9f}\\x{feff}\\x{200b}]"
_SPACES = "^[\\s\\x{a0}\\x{202f}]+|[\\s\\x{a0}\\x{202f}]+$"


def matches(text: str, form: str) -> str:
    return f"regexp_full_match({text}, {literal(form)})"


def quick_test(form: str, text: str) -> str:
    """The condition under which a plain cast of the text is exact: cheap ones, since every row is tried.

    A cast to DATE reads texts of that outline strictly (the years before 1900 are refused elsewhere); a cast to
    DECIMAL is lenient only in underscores, exponents and decimals beyond the fourth.
    """
    if form == "iso":
        return f"{text} like '____-__-__'"
    if form in ("integer", "decimal"):
        lenient = [f"not contains({text}, '{mark}')" for mark in ("_", "e", "E", *("." * (form == "integer")))]
        return " and ".join([*lenient, f"{text} not like '%._____%'"])
    return matches(text, QUICK_FORMS[form])


def spellings(words: Iterable[str]) -> list[str]:
    """Each word in the ways it is usually written: none, NONE, None."""
    return sorted({spelt for w in words for spelt in (w, w.upper(), w.capitalize(), w.title())})


def tidy(text: str) -> str:
    """The text without control characters, with every kind of space as one, trimmed: what forms are matched against."""
    spaced = f"regexp_replace({text}, '[\\s\\x{{a0}}\\x{{202f}}\\x{{2009}}]', ' ', 'g')"
    return f"trim(regexp_replace({spaced}, {literal(ALL_CONTROLS)}, '', 'g'))"


def stripped(text: str, *, lines: bool) -> str:
    """The text trimmed and free of control characters; line ends and tabs stay where `lines`.

    Most texts are printable ASCII without spaces around: for those a blob of the same length proves it, which costs a
    fifth of a regular expression.
    """
    controls = literal(MOST_CONTROLS if lines else ALL_CONTROLS)
    slow = f"regexp_replace(regexp_replace({text}, {controls}, '', 'g'), {literal(_SPACES)}, '', 'g')"
    printable = f"strlen(encode({text})::varchar) = strlen({text})"
    is_plain = f"{printable} and not starts_with({text}, ' ') and not ends_with({text}, ' ')"
    return f"case when {is_plain} then {text} else {slow} end"


def meaningful(text: str, nothing: Collection[str]) -> str:
    """The stripped text, NULL where it says nothing. Give a column: an expression would be computed several times.

    Most of these words are short and most texts are not: lengths are compared first, being cheaper.
    """
    short = [w for w in spellings(nothing) if len(w.encode()) <= _SHORT]
    long = [w for w in spellings(nothing) if len(w.encode()) > _SHORT]
    lengths = sorted({len(w.encode()) for w in long})
    arms = f"when strlen({text}) <= {_SHORT} and {text} in {listed(short)} then null "
    if long:
        arms += f"when strlen({text}) in ({', '.join(map(str, lengths))}) and {text} in {listed(long)} then null "
    return f"case {arms}else {text} end"


def date_value(form: str, text: str, *, timezone: str, order: str | None, months: Mapping[str, int]) -> str:
    """The TIMESTAMP that a text of the form is; instants become local time of the zone. NULL where it is no day."""
    point = f"replace({text}, ',', '.')"
    zone = literal(timezone)
    seconds = f"make_timestamptz(try_cast({text} as bigint) * "
    plain = {
        "iso": f"try_cast({text} as timestamp)",
        "iso_time": f"try_cast({point} as timestamp)",
        "iso_zone": f"timezone({zone}, try_cast(regexp_replace({point}, ' ([+-])', '\\1') as timestamptz))",
        "compact": f"try_strptime({text}, '%Y%m%d')",
        "compact_time": f"try_strptime(regexp_replace({text}, '[T ]', ''), '%Y%m%d%H%M%S')",
        "epoch_s": f"timezone({zone}, {seconds} 1000000))",
        "epoch_ms": f"timezone({zone}, {seconds} 1000))",
        "serial": f"timestamp '1899-12-30' + to_milliseconds(round(try_cast({text} as double) * 86400000)::bigint)",
    }
    if form in plain:
        return plain[form]
    pattern, parts = _CALENDARS[f"{form} {order}" if form == "numeric" else form]
    return _calendar(text, pattern, parts, months if form in ("day_month", "month_day") else None)


_NUMERIC = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})"
_CALENDARS: Mapping[str, tuple[str, tuple[int, int, int]]] = {
    "ymd": (r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", (1, 2, 3)),
    "numeric dmy": (_NUMERIC, (3, 2, 1)),
    "numeric mdy": (_NUMERIC, (3, 1, 2)),
    "day_month": (
        rf"^(?:{_NAME}\.?,? )?(\d{{1,2}})(?:st|nd|rd|th|er|[.º])?{_GAP}({_NAME})\.?,?{_GAP}(\d{{4}})",
        (3, 2, 1),
    ),
    "month_day": (rf"^(?:{_NAME}\.?,? )?({_NAME})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})", (3, 1, 2)),
}
"""How a written day begins, and which of its groups are the year, the month and the day."""


def _calendar(text: str, pattern: str, parts: tuple[int, int, int], months: Mapping[str, int] | None) -> str:
    year, month, day = parts

    def part(group: int) -> str:
        return f"regexp_extract({text}, {literal(pattern)}, {group})"

    number = part(month)
    if months is not None:
        names = ", ".join(f"{literal(name)}: '{number}'" for name, number in months.items())
        number = f"coalesce(map {{{names}}}[lower({number})], '99')"
    time = f"upper(replace(regexp_replace(regexp_replace({text}, {literal(pattern)}, ''), '^,?[ T]+', ''), '.M', 'M'))"
    time = f"regexp_replace(replace({time}, ',', '.'), '([AP])\\.?M\\.?$', ' \\1M')"
    time = f"regexp_replace({time}, ' +', ' ')"
    padded = f"concat({part(year)}, '-', lpad({number}, 2, '0'), '-', lpad({part(day)}, 2, '0'), ' ', {time})"
    return f"try_strptime(trim({padded}), {_DATE_FORMATS})"


def number_core(text: str) -> str:
    """The digits and marks of a number, without sign, currency, percent and with one kind of space; '' where none."""
    return (
        f"case when {matches(text, NUMBER)} then regexp_extract({text}, {literal('^' + NUMBER + '$')}, 3) else '' end"
    )


def number_value(text: str, core: str, mark: str | None, sql_type: str) -> str:
    """The number of a text whose column has the decimal mark "." or ","; None reads only what proves itself."""
    dotted = f"try_cast(regexp_replace({core}, '[, ''’]', '', 'g') as {sql_type})"
    comma = f"try_cast(replace(regexp_replace({core}, '[. ''’]', '', 'g'), ',', '.') as {sql_type})"
    if mark == ".":
        value = f"case when {matches(core, DOT_MARK)} then {dotted} end"
    elif mark == ",":
        value = f"case when {matches(core, COMMA_MARK)} then {comma} end"
    else:
        value = (
            f"case when {matches(core, PLAIN_INTEGER)} then {dotted} when {matches(core, PROVES_DOT)} then {dotted} "
            f"when {matches(core, PROVES_COMMA)} then {comma} end"
        )
    sign = f"case when contains({text}, '-') or contains({text}, '−') or starts_with({text}, '(') then -1 else 1 end"
    scientific = f"try_cast({text} as {sql_type})"
    return f"case when {matches(text, SCIENTIFIC)} then {scientific} else ({value}) * {sign} end"


def bool_value(text: str, true: Iterable[str], false: Iterable[str]) -> str:
    return f"case when lower({text}) in {listed(true)} then true when lower({text}) in {listed(false)} then false end"
