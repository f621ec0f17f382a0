"""Something was committed, somewhere: the dashboard's reason to look again."""

from collections.abc import AsyncIterator

from llmlab_app.storage import pulse


def pulses() -> AsyncIterator[None]:
    """One item whenever something may have changed, at the latest every two seconds."""
    return pulse.pulses()
