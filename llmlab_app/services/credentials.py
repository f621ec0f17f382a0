"""What keys and cookies grant, remembered for two seconds: ingestion asks on every request.

Here a revocation bites at once in the process that made it, and within the two seconds in others.
"""

from datetime import datetime, timedelta

from llmlab_app.services.short_memory import ShortMemory
from llmlab_app.storage import access
from llmlab_app.storage.access import KnownKey, KnownSession
from llmlab_app.storage.database import transaction

LIFETIME = timedelta(seconds=2)
USE_IS_NOTED_EVERY = timedelta(minutes=1)
_SIZE = 10_000


async def _look_up_key(public_id: str) -> KnownKey | None:
    async with transaction() as session:
        return await access.known_key(session, public_id)


async def _look_up_session(token_sha256: bytes) -> KnownSession | None:
    async with transaction() as session:
        return await access.known_session(session, token_sha256)


_keys = ShortMemory(_look_up_key, lifetime=LIFETIME, size=_SIZE)
_sessions = ShortMemory(_look_up_session, lifetime=LIFETIME, size=_SIZE)


async def find_key(public_id: str, now: datetime) -> KnownKey | None:
    """The key, None if it is unknown or revoked."""
    return await _keys.get(public_id, now)


async def find_session(token_sha256: bytes, now: datetime) -> KnownSession | None:
    """The browser session, None if it is unknown or revoked."""
    return await _sessions.get(token_sha256, now)


def forget_credentials() -> None:
    """Look everything up again; to be called after a change to keys, projects or sessions."""
    _keys.forget_all()
    _sessions.forget_all()


async def note_key_use(key: KnownKey, now: datetime) -> None:
    """Write down when the key was last used, once a minute and not per request."""
    if key.last_used_at is None or now - key.last_used_at >= USE_IS_NOTED_EVERY:
        key.last_used_at = now  # first, so that concurrent requests don't write it too
        async with transaction() as session:
            await access.note_key_use(session, key.public_id, now, USE_IS_NOTED_EVERY)


async def note_session_use(known: KnownSession, now: datetime) -> None:
    """Write down when the session was last used, once a minute and not per request."""
    if now - known.last_used_at >= USE_IS_NOTED_EVERY:
        known.last_used_at = now
        async with transaction() as session:
            await access.note_session_use(session, known.id, now, USE_IS_NOTED_EVERY)
