"""How numbers, money and dates are written on screen: the one place that decides.

Amounts are US dollars as Decimal and round half up, because half a cent must show as a cent.
Nothing here knows about pages; unknown values never get this far, they are words on the page.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

MINUS = "−"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_CENT = Decimal("0.01")
_CALL_DIGIT = Decimal("0.00001")
_RECEIPT_DIGIT = Decimal("0.0000001")
_TWO_DIGITS = Context(prec=2, rounding=ROUND_HALF_UP)


# --- money ---------------------------------------------------------------------------------------


def total(amount: Decimal) -> str:
    """A sum: ``$1,234.56``. Above zero but below half a cent it is ``<$0.01``, never ``$0.00``."""
    if 0 < abs(amount) < _CENT / 2:
        return _signed(amount, "<$0.01")
    return _dollars(amount, _CENT)


def call_cost(amount: Decimal) -> str:
    """One call: ``$0.00042``; under $0.00001 two significant digits, ``$0.0000031``."""
    return _dollars_or_two_digits(amount, _CALL_DIGIT, below=_CALL_DIGIT)


def receipt_line(amount: Decimal) -> str:
    """One line of a receipt: ``$0.0055260``; what would round to nothing keeps two digits."""
    return _dollars_or_two_digits(amount, _RECEIPT_DIGIT, below=_RECEIPT_DIGIT / 2)


def unit_price(per_million: Decimal) -> str:
    """A price per million tokens, unrounded, with at least two decimals: ``$0.075``, ``$3.00``."""
    _, _, decimals = format(per_million.normalize(), "f").partition(".")
    return f"${per_million:,.{max(2, len(decimals))}f}"


def axis_dollars(amount: Decimal) -> str:
    """A round number on an axis: ``$20``, ``$2.50``, ``$0.0005``."""
    return f"${amount:,.0f}" if amount == int(amount) else unit_price(amount)


def _dollars_or_two_digits(amount: Decimal, digit: Decimal, *, below: Decimal) -> str:
    if not 0 < abs(amount) < below:
        return _dollars(amount, digit)
    rounded = _TWO_DIGITS.plus(amount)
    return _dollars(rounded, Decimal(1).scaleb(rounded.adjusted() - 1))


def _dollars(amount: Decimal, digit: Decimal) -> str:
    rounded = abs(amount).quantize(digit, ROUND_HALF_UP)
    return _signed(amount if rounded else rounded, f"${rounded:,f}")


def _signed(amount: Decimal, text: str) -> str:
    return f"{MINUS}{text}" if amount < 0 else text


# --- counts and shares ---------------------------------------------------------------------------


def calls(count: int) -> str:
    """Exact, with commas: ``9,966``."""
    return f"{count:,}"


def tokens(count: int) -> str:
    """Exact below 1,000, then one decimal, billions two: ``812``, ``12.3k``, ``1.03B``."""
    if count < 1_000:
        return str(count)
    for size, suffix, digit in ((3, "k", "0.1"), (6, "M", "0.1")):
        shown = Decimal(count).scaleb(-size).quantize(Decimal(digit), ROUND_HALF_UP)
        if shown < 1_000:
            return f"{shown}{suffix}"
    return f"{Decimal(count).scaleb(-9).quantize(_CENT, ROUND_HALF_UP):,}B"


def plural(count: int, noun: str) -> str:
    """``1 call``, ``41 calls``."""
    return f"{calls(count)} {noun}" if count == 1 else f"{calls(count)} {noun}s"


def percent(ratio: Decimal) -> str:
    """A share or a change, not negative, as a whole: ``26%``, with ``<1%`` and ``>999%``."""
    percentage = ratio * 100
    if 0 < percentage < 1:
        return "<1%"
    if percentage > 999:
        return ">999%"
    return f"{percentage.quantize(Decimal(1), ROUND_HALF_UP)}%"


def shares(amounts: Sequence[Decimal]) -> tuple[str, ...]:
    """Each amount's share of their sum, as whole percents that add to 100.

    The points lost by rounding down go to the largest remainders; ``<1%`` is a share that got none.
    """
    whole = sum(amounts, Decimal(0))
    if not whole:
        return tuple("0%" for _ in amounts)
    exact = [amount * 100 / whole for amount in amounts]
    points = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (points[i] - exact[i], i))
    for i in by_remainder[: 100 - sum(points)]:
        points[i] += 1
    return tuple(
        f"{point}%" if point or not amount else "<1%"
        for point, amount in zip(points, amounts, strict=True)
    )


# --- time ----------------------------------------------------------------------------------------


def latency(milliseconds: int) -> str:
    """``14.2s``; under a tenth of a second ``84ms``."""
    if milliseconds < 100:
        return f"{milliseconds}ms"
    return f"{(Decimal(milliseconds) / 1000).quantize(Decimal('0.1'), ROUND_HALF_UP)}s"


def age(elapsed: timedelta) -> str:
    """``4s``, ``1m 23s``, ``3h``, and after two days ``2d``. Mirrored by ``components/age.jsx``."""
    seconds = max(0, int(elapsed.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    if seconds < 48 * 3_600:
        return f"{seconds // 3_600}h"
    return f"{seconds // 86_400}d"


def day(on: date, *, today: date) -> str:
    """``19 Nov``, with the year when it isn't this one: ``19 Nov 2025``."""
    text = f"{on.day} {MONTHS[on.month - 1]}"
    return text if on.year == today.year else f"{text} {on.year}"


def day_range(first: date, last: date, *, today: date) -> str:
    """``1–19 Nov``, ``28 Oct–3 Nov``, ``28 Dec 2025–3 Jan``."""
    if first == last:
        return day(last, today=today)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last, today=today)}"
    return f"{day(first, today=today)}–{day(last, today=today)}"


def clock(at: datetime) -> str:
    """``14:32``."""
    return f"{at:%H:%M}"


def clock_seconds(at: datetime) -> str:
    """``14:31:49``."""
    return f"{at:%H:%M:%S}"


def moment(at: datetime) -> str:
    """``Thu 19 Nov, 14:32``: now, or a time within the year."""
    return f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]}, {clock(at)}"


def full_moment(at: datetime) -> str:
    """``19 Nov 2026, 14:31:49``: for a receipt, which outlives the year."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {clock_seconds(at)}"


def zone(at: datetime, name: str) -> str:
    """``Europe/Berlin (UTC+1)``: the zone's name and its offset at that moment."""
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    if not minutes:
        return name if name == "UTC" else f"{name} (UTC)"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else MINUS
    return f"{name} (UTC{sign}{hours}{f':{rest:02d}' if rest else ''})"
