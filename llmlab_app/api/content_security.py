"""What a page of ours may load and run: only what we serve.

The built dashboard has inline scripts, the same for everybody; the policy lists their hashes, so
that no other inline script runs. There is no ``unsafe-eval``: Reflex's ``rx.call_script`` and
``rx.call_function`` would need it, and the dashboard does without.
"""

import base64
import re
from hashlib import sha256
from pathlib import Path

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(?P<code>.*?)</script>", re.DOTALL)

NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""For what isn't a page: JSON, files."""


def page_policy(frontend: Path | None) -> str:
    """The policy of HTML pages.

    Args:
        frontend: Folder of the built dashboard, whose inline scripts may run; None without one.
    """
    scripts = sorted(inline_script_hashes(frontend)) if frontend else []
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join([_SELF, *scripts])}",
            f"style-src {_SELF} 'unsafe-inline'",  # style attributes of pre-rendered charts
            f"img-src {_SELF} data:",
            f"font-src {_SELF}",
            f"connect-src {_SELF}",
            f"manifest-src {_SELF}",
            f"form-action {_SELF}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def inline_script_hashes(frontend: Path) -> set[str]:
    """CSP sources of all inline scripts in the HTML files of ``frontend``."""
    return {
        _source(match["code"])
        for page in frontend.rglob("*.html")
        for match in _INLINE_SCRIPT.finditer(page.read_text(encoding="utf-8"))
    }


def _source(code: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(code.encode()).digest()).decode()}'"


_SELF = "'self'"
