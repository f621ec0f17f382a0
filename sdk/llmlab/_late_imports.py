"""A lock for imports that happen late, on first use, to keep ``import llmlab`` light.

A fork waits for it: a child that is born while another thread imports a module would inherit that
module's import lock, which nobody in the child will ever release.
"""

from __future__ import annotations

import os
import threading

# Re-entrant: a signal handler may need the very module that this thread is importing.
importing = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=importing.acquire,
        after_in_parent=importing.release,
        after_in_child=importing.release,
    )
