"""One server of several runs what must run once."""

from contextlib import AbstractAsyncContextManager

from llmlab_app.storage import leadership as stored


def leadership() -> AbstractAsyncContextManager[stored.Lead]:
    """Wait until no other server leads, then lead for as long as the block runs."""
    return stored.leadership()
