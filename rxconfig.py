"""Reflex's configuration. Reflex finds it by this name, in the current directory only."""

import re
from pathlib import Path
from typing import Any

import reflex as rx

_ABSOLUTE_URL = re.compile(r"""(["'`])(?P<scheme>ws|http)s?://[^"'`/]+(?P<path>/[^"'`]*)?\1""")
_SAME_ORIGIN = {"http": "location.origin", "ws": 'location.origin.replace(/^http/,"ws")'}


class SameOriginPlugin(rx.plugins.Plugin):
    """Make the built dashboard talk to whoever served it, on any host and port.

    The export bakes an absolute backend address into one chunk, so that a prebuilt dashboard would
    only work on the port it was built for. This runs before the assets are compressed.
    """

    def post_build(self, **context: Any) -> None:
        """Rewrite the one chunk that holds the address.

        Raises:
            RuntimeError: if not exactly one chunk changed. Fail the build, never ship it broken.
        """
        assets: Path = context["static_dir"] / "assets"
        changed = [chunk for chunk in assets.glob("reflex-env-*.js") if _made_relative(chunk)]
        if len(changed) != 1:
            raise RuntimeError(f"The same-origin patch hit {len(changed)} chunks, expected 1.")


def _made_relative(chunk: Path) -> bool:
    source = chunk.read_text()
    patched = _ABSOLUTE_URL.sub(
        lambda url: f'({_SAME_ORIGIN[url["scheme"]]}+"{url["path"] or ""}")', source
    )
    chunk.write_text(patched)
    return patched != source


# No state_manager_mode here: set, it would silently beat LLMLab's Redis setting.
config = rx.Config(
    app_name="llmlab_app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    default_color_mode="system",
    frontend_compression_formats=["brotli", "gzip"],
    cors_allowed_origins=[],  # same origin only; the edge refuses the rest
    plugins=[SameOriginPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
