"""The owner's password: it comes from a file, and is kept as argon2id."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash

from llmlab_app.domain.errors import InvalidInput
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.storage import audit
from llmlab_app.storage.access import owner_of, set_password_hash
from llmlab_app.storage.database import transaction
from llmlab_app.storage.sessions import revoke_sessions_of

MIN_LENGTH = 8  # NIST SP 800-63B-4 §3.1.1.2: at least 8; tries are limited, too
MAX_LENGTH = 1024
_argon2id = PasswordHash.recommended()
# Each hash takes 64 MiB and some 0.1 s of a core: never on the event loop, never more than two.
# anyio's threads belong to the event loop: a server that forks doesn't inherit dead ones.
_two_at_once = CapacityLimiter(2)
_adopted: dict[Path, tuple[int, int, int]] = {}


def read_password(path: Path) -> str:
    """The first line of the file, without its end.

    Raises:
        InvalidInput: the file can't be read or its password is too short.
    """
    try:
        first_line = path.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"LLMLAB_OWNER_PASSWORD_FILE names {path}, which can't be read: {error}.",
            code="owner_password_unreadable",
        ) from error
    if not MIN_LENGTH <= len(first_line) <= MAX_LENGTH:
        raise InvalidInput(
            f"The first line of {path} is the owner's password; it needs {MIN_LENGTH} to "
            f"{MAX_LENGTH} characters.",
            code="owner_password_length",
        )
    return first_line


async def is_right(password: str, password_hash: str) -> bool:
    """Whether ``password`` is the one that ``password_hash`` was made of."""
    if len(password) > MAX_LENGTH:
        return False
    return await to_thread.run_sync(_argon2id.verify, password, password_hash, limiter=_two_at_once)


async def adopt_owner_password(workspace_id: UUID, path: Path, now: datetime) -> None:
    """Make the file's password the owner's, if the file changed since this process looked.

    A new password signs every browser of the owner out.

    Raises:
        InvalidInput: the file can't be read or its password is too short.
    """
    signature = _signature(path)
    if signature is not None and _adopted.get(path) == signature:
        return
    password = read_password(path)
    async with transaction() as session:
        owner = await owner_of(session, workspace_id)
    # Hashing stays outside of a transaction: it would hold a connection while it waits its turn.
    if owner.password_hash is None or not await is_right(password, owner.password_hash):
        new_hash = await to_thread.run_sync(_argon2id.hash, password, limiter=_two_at_once)
        await _replace(workspace_id, new_hash, now)
    if signature is not None:
        _adopted[path] = signature


async def _replace(workspace_id: UUID, password_hash: str, now: datetime) -> None:
    async with transaction() as session:
        owner = await owner_of(session, workspace_id)
        await set_password_hash(session, owner.member_id, password_hash)
        await revoke_sessions_of(session, owner.member_id, now)
        audit.record(
            session,
            workspace_id=workspace_id,
            actor="LLMLAB_OWNER_PASSWORD_FILE",
            action="password.changed",
            target=str(owner.member_id),
            at=now,
        )
    forget_credentials()


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
