"""Whether the server may listen where it should; the web server could not say it so well."""

import errno
import socket
from contextlib import closing

from llmlab_app.domain.errors import Conflict, InvalidInput


def free_address(host: str, port: int) -> str:
    """The numeric address of ``host``, if nothing listens at its ``port`` yet.

    Raises:
        Conflict: another program has the port.
        InvalidInput: no such address, or not ours to listen at.
    """
    try:
        return _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Another program listens at {host}:{port}. Stop it, or choose another port: "
                f"llmlab up --port {port + 1}",
                code="port_in_use",
            ) from error
        raise InvalidInput(
            f"LLMLab can't listen at {host}:{port}: {error.strerror}. "
            "Set LLMLAB_HOST and LLMLAB_PORT to an address of this machine.",
            code="cannot_listen",
        ) from error


def _listen(host: str, port: int) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # A name may have two addresses ("localhost" has): everybody can reach the older kind.
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    with closing(socket.socket(family, kind, protocol)) as probe:
        # As servers do, or a port whose last connections linger would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()
    return str(address[0])
