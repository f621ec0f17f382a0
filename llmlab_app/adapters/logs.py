"""What the server writes to its log: one line an event, never a key, a password or a prompt."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(
    r"llmlab_[0-9A-Za-z]{8}_[0-9A-Za-z]+|(?<=://)[^\s/@]+(?=@)|(?<=token=)[^\s&\"']+|"
    r"\bsk-[\w-]{8,}"
)
_SECRET_NAMES = re.compile(r"key|password|secret|token|authorization|cookie", re.IGNORECASE)
_HIDDEN = "[hidden]"


def configure_logging() -> None:
    """Send our log lines to stderr; tracebacks come without the values of variables."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def hide_secrets(
    logger: object, name: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank every field that is named like a secret, and everything that looks like one."""
    for key, value in fields.items():
        if _SECRET_NAMES.search(key):
            fields[key] = _HIDDEN
        elif isinstance(value, str):
            fields[key] = _SECRETS.sub(_HIDDEN, value)
    return fields
