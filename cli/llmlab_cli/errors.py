"""What can stop a command, as one tree: each says what happened, why, and what to do next.

Problem                 anything else                                     exit code 1
├── BadUsage            asked for something that can't be                 exit code 2
├── NotAllowed          the key lacks a scope, or asks from elsewhere      exit code 1
├── Unreachable         no server there, or it can't answer now           exit code 3
└── NotAuthenticated    no key, or one that the server doesn't know       exit code 4
"""

from __future__ import annotations


class Problem(Exception):
    """A failure that we understand.

    Attributes:
        what: What happened and why, one or two sentences.
        next_step: What to do or type next; empty if nothing would help.
    """

    exit_code = 1

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


class BadUsage(Problem):
    """The command line asks for something that can't be."""

    exit_code = 2


class NotAllowed(Problem):
    """The server knows the key, but not for this."""


class Unreachable(Problem):
    """There is no server at that address, or it can't answer now."""

    exit_code = 3


class NotAuthenticated(Problem):
    """There is no key, or the server doesn't know it."""

    exit_code = 4
