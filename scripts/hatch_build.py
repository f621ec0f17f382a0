"""Puts into the server's wheel what a checkout has beside its packages."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE_THE_PACKAGES = {
    "data": "llmlab_app/_data",  # dated prices and capabilities
    "alembic": "llmlab_app/_site/alembic",
    "alembic.ini": "llmlab_app/_site/alembic.ini",
    "rxconfig.py": "llmlab_app/_site/rxconfig.py",  # Reflex reads it in the current directory
    ".web/backend": "llmlab_app/_site/web/backend",
    ".web/build/client": "llmlab_app/_site/web/build/client",  # the dashboard, built
}


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds these files to a real wheel; an editable install reads the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files.

        Raises:
            FileNotFoundError: the dashboard isn't built; a wheel without it must not be made.
        """
        if version == "editable":
            return
        if not Path(self.root, ".web/build/client/index.html").exists():
            raise FileNotFoundError(
                "Build the dashboard first: python3 scripts/bootstrap.py wheels"
            )
        build_data["force_include"] |= BESIDE_THE_PACKAGES
