"""How money, tokens and counts are written: as on the dashboard, digit for digit.

Amounts arrive as the server's decimal text. Unknown is None and becomes words, never $0.00.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

NO_PRICE = "no price"

_CENT = Decimal("0.01")
_CALL_DIGIT = Decimal("0.00001")
_RECEIPT_DIGIT = Decimal("0.0000001")
_TWO_DIGITS = Context(prec=2, rounding=ROUND_HALF_UP)


def total(dollars: str | None) -> str:
    """A sum: ``$1,234.56``. Above zero but below half a cent it is ``<$0.01``, never ``$0.00``."""
    if dollars is None:
        return NO_PRICE
    amount = Decimal(dollars)
    if 0 < abs(amount) < _CENT / 2:
        return _signed(amount, "<$0.01")
    return _dollars(amount, _CENT)


def call_cost(dollars: str | None) -> str:
    """One call: ``$0.00042``; under $0.00001 two significant digits, ``$0.0000031``."""
    return NO_PRICE if dollars is None else _small(dollars, _CALL_DIGIT, below=_CALL_DIGIT)


def receipt_line(dollars: str | None) -> str:
    """One line of a receipt: ``$0.0055260``; what would round to nothing keeps two digits."""
    return (
        NO_PRICE if dollars is None else _small(dollars, _RECEIPT_DIGIT, below=_RECEIPT_DIGIT / 2)
    )


def unit_price(per_million: str | None) -> str:
    """A price per million, unrounded, with at least two decimals: ``$0.075``, ``$3.00``."""
    if per_million is None:
        return NO_PRICE
    price = Decimal(per_million)
    _, _, decimals = format(price.normalize(), "f").partition(".")
    return f"${price:,.{max(2, len(decimals))}f}"


def tokens(count: int) -> str:
    """Exact below 1,000, then one decimal, billions two: ``812``, ``12.3k``, ``1.03B``."""
    if count < 1_000:
        return str(count)
    for size, suffix in ((3, "k"), (6, "M")):
        shown = Decimal(count).scaleb(-size).quantize(Decimal("0.1"), ROUND_HALF_UP)
        if shown < 1_000:
            return f"{shown}{suffix}"
    return f"{Decimal(count).scaleb(-9).quantize(_CENT, ROUND_HALF_UP):,}B"


def count(number: int) -> str:
    """Exact, with commas: ``9,966``."""
    return f"{number:,}"


def quantity(amount: str) -> str:
    """A billed quantity, exact, with commas: ``1,450``, ``0.5``."""
    return f"{Decimal(amount):,f}"


def plural(number: int, noun: str) -> str:
    """``1 call``, ``41 calls``."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def _small(dollars: str, digit: Decimal, *, below: Decimal) -> str:
    amount = Decimal(dollars)
    if not 0 < abs(amount) < below:
        return _dollars(amount, digit)
    rounded = _TWO_DIGITS.plus(amount)
    return _dollars(rounded, Decimal(1).scaleb(rounded.adjusted() - 1))


def _dollars(amount: Decimal, digit: Decimal) -> str:
    rounded = abs(amount).quantize(digit, ROUND_HALF_UP)
    return _signed(amount if rounded else rounded, f"${rounded:,f}")


def _signed(amount: Decimal, text: str) -> str:
    return f"−{text}" if amount < 0 else text
