"""Puts into the server's wheel what a checkout has beside the package: `llmlab_app/_site`."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The dashboard as built, what Reflex wants to find in the current directory, migrations, prices.
SITE = {
    ".web/build/client": "web/build/client",
    ".web/backend": "web/backend",
    "rxconfig.py": "rxconfig.py",
    "alembic.ini": "alembic.ini",
    "alembic": "alembic",
    "data/prices": "data/prices",
}


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the site to a real wheel; an editable install reads the checkout."""

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
        for source, target in SITE.items():
            build_data["force_include"][source] = f"llmlab_app/_site/{target}"
