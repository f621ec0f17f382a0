"""Whether this server can keep its promises."""

from llmlab_app.storage.database import is_reachable


async def is_healthy() -> bool:
    """Whether the database answers within two seconds."""
    return await is_reachable()
