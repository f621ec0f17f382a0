"""US dollars as Decimal in the domain, as whole pico-dollars (1e-12) in tables; never float.

Pico, because nano is too coarse: $0.0375 per million tokens is 37.5 nano-dollars a token.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

CURRENCY = "USD"
PICO = Decimal("1e-12")
MAX_EVENT_COST = Decimal(1_000_000)

# Wide enough for the sum of 10^12 events at the highest price: no silent loss of digits.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def rounded(amount: Decimal) -> Decimal:
    """``amount`` rounded half-even to 1e-12 dollars: the only rounding of money we do."""
    return amount.quantize(PICO, context=EXACT)


def to_pico(amount: Decimal) -> int:
    """Whole pico-dollars of ``amount``, rounded half-even."""
    return int(rounded(amount).scaleb(12, context=EXACT))


def from_pico(pico: int | Decimal) -> Decimal:
    """Dollars of ``pico`` pico-dollars."""
    return Decimal(pico).scaleb(-12, context=EXACT)


def plain(amount: Decimal) -> str:
    """``amount`` as a JSON string: no exponent, no trailing zeros (``0.00042``, ``0``, ``12``)."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
