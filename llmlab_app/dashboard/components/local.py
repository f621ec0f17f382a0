"""Components that live in the browser alone: a ``.jsx`` file beside this one, and its props here.

They hold what no server needs to know (a tab that is open, a clock that ticks), so that no
websocket round trip is spent on it.
"""

from pathlib import Path
from typing import ClassVar

import reflex as rx
from reflex.utils.imports import ImportDict, ImportVar

_HERE = Path(__file__).parent


class LocalComponent(rx.Component):
    """``source`` defines a React function named ``tag`` that uses ``hooks``."""

    source: ClassVar[str]
    hooks: ClassVar[tuple[str, ...]] = ("useState",)

    def add_imports(self) -> ImportDict:
        """React's hooks."""
        return {"react": [ImportVar(tag=hook) for hook in self.hooks]}

    def add_custom_code(self) -> list[str]:
        """The component's source; read only when the dashboard is built."""
        return [(_HERE / self.source).read_text()]


class Age(LocalComponent):
    """``4s``, ``1m 23s``: the time since ``at``, as ``formatting.age`` writes it, counting on."""

    tag = "Age"
    source = "age.jsx"
    hooks = ("useEffect", "useMemo", "useState")

    at: rx.Var[float]
    """When it happened, in the server's epoch seconds."""
    now: rx.Var[float]
    """The server's clock when this was sent, in epoch seconds."""
    suffix: rx.Var[str]


class CopyButton(LocalComponent):
    """Copies ``text`` and says so; its children are the icon before the label."""

    tag = "CopyButton"
    source = "copy.jsx"

    text: rx.Var[str]


class Tabs(LocalComponent):
    """One of its children at a time, chosen by ``labels`` with pointer or arrow keys."""

    tag = "Tabs"
    source = "tabs.jsx"
    hooks = ("useId", "useState")

    label: rx.Var[str]
    """What is chosen among, for screen readers."""
    labels: rx.Var[list[str]]


class SignIn(LocalComponent):
    """The form that trades the owner's password for a session cookie.

    The browser posts it itself: a cookie that no script can read can only be set over HTTP.
    """

    tag = "SignIn"
    source = "sign_in.jsx"


class SignOut(LocalComponent):
    """A button that ends this browser's session; its child is the icon."""

    tag = "SignOut"
    source = "sign_out.jsx"
    hooks = ()


age = Age.create
copy_button = CopyButton.create
tabs = Tabs.create
sign_in = SignIn.create
sign_out = SignOut.create
