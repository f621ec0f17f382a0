"""How this server lets people in."""

import reflex as rx

from llmlab_app.settings import get_settings


class LoginState(rx.State):
    """Whether there is a password to ask for; without one, links from the terminal open it."""

    is_known: rx.Field[bool] = rx.field(False)
    asks_password: rx.Field[bool] = rx.field(False)

    @rx.event
    def open(self) -> None:
        """Look up the mode. Anybody may know it."""
        self.asks_password = get_settings().owner_password_file is not None
        self.is_known = True
