"""Options that several commands share."""

from typing import Optional

import typer
from typing_extensions import Annotated

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: money as text, raw numbers.")]
ProjectName = Annotated[
    Optional[str], typer.Option("--project", metavar="NAME", help="Project to look at.")
]
