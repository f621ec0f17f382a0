"""API keys as text: ``llmlab_<public id>_<secret><checksum>``.

The public id (8 base62 digits) finds the key; the secret (32 random bytes, 43 digits) proves it;
the checksum (CRC-32 of everything before it, 6 digits) tells a mistyped key from an unknown one
without asking the database, and lets secret scanners recognise ours in leaked text.

A fast hash is right for the secret, unlike for a password: 256 random bits can't be guessed.
"""

import hmac
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from llmlab_app.domain.errors import Unauthenticated

PREFIX = "llmlab"
SECRET_BYTES = 32
_PUBLIC_ID_DIGITS = 8
_SECRET_DIGITS = 43  # the smallest n with 62^n ≥ 2^256
_CHECKSUM_DIGITS = 6  # the smallest n with 62^n ≥ 2^32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(
    rf"{PREFIX}_(?P<public_id>[0-9A-Za-z]{{{_PUBLIC_ID_DIGITS}}})"
    rf"_(?P<secret>[0-9A-Za-z]{{{_SECRET_DIGITS}}})"
    rf"(?P<checksum>[0-9A-Za-z]{{{_CHECKSUM_DIGITS}}})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key, whole. Its text form says ``secret`` only when asked by ``reveal``."""

    public_id: str
    secret: str = field(repr=False)

    def reveal(self) -> str:
        """The key as its owner sees it, once."""
        unsigned = f"{PREFIX}_{self.public_id}_{self.secret}"
        return unsigned + _checksum(unsigned)

    def secret_sha256(self) -> bytes:
        """What we keep of the secret, 32 bytes."""
        return sha256(self.secret.encode()).digest()

    def fits(self, secret_sha256: bytes) -> bool:
        """Whether this is the key that ``secret_sha256`` was kept of, in constant time."""
        return hmac.compare_digest(self.secret_sha256(), secret_sha256)


def new_key(random_bytes: Callable[[int], bytes]) -> ApiKey:
    """A fresh key.

    Args:
        random_bytes: ``secrets.token_bytes``, or a fixed source in a test.
    """
    public_id = int.from_bytes(random_bytes(16)) % 62**_PUBLIC_ID_DIGITS
    secret = int.from_bytes(random_bytes(SECRET_BYTES))
    return ApiKey(
        public_id=_base62(public_id, _PUBLIC_ID_DIGITS), secret=_base62(secret, _SECRET_DIGITS)
    )


def parse_key(text: str) -> ApiKey:
    """The key in ``text``.

    Raises:
        Unauthenticated: ``text`` isn't a whole LLMLab key. That is plain from the text alone, so
            saying it gives nothing away.
    """
    match = _KEY.fullmatch(text)
    if match is None or _checksum(text[:-_CHECKSUM_DIGITS]) != match["checksum"]:
        raise Unauthenticated(
            "This isn't a complete LLMLab key: it was cut off or mistyped. Copy it again; it "
            f"starts with {PREFIX}_ and has {_length()} characters.",
            code="malformed_key",
        )
    return ApiKey(public_id=match["public_id"], secret=match["secret"])


def _length() -> int:
    return len(PREFIX) + 2 + _PUBLIC_ID_DIGITS + _SECRET_DIGITS + _CHECKSUM_DIGITS


def _checksum(unsigned: str) -> str:
    return _base62(zlib.crc32(unsigned.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
