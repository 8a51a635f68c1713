"""A case with small servers on loopback, whose responses a test chooses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase


class ServingCase(SynchronousTestCase):
    """A case with such servers."""

    def serve(self, answers: Callable[[int], bytes]) -> int:
        """Serve every connection: response *n* to request *n*; an empty one closes it. Return the port."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)

        def talk(line: socket.socket) -> None:
            with line:
                for number in range(10):
                    if not line.recv(65536) or not answers(number):
                        return
                    line.sendall(answers(number))

        def accept() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port: int = listening.getsockname()[1]
        return port
