"""A worker in a process of its own: `python -m tests.jobs.worker URL QUEUE FILE [SECONDS]`.

It writes into FILE what it begins and what it has done, until SIGTERM. It prints its sockets: what
it bound, and what it connected to.
"""

import os
import signal
import sys
import threading
import time

from mediaguard.jobs.engine import Engine


def main(url: str, queue: str, path: str, seconds: str = "0") -> int:
    def hook(event: str, args: tuple[object, ...]) -> None:
        if event in ("socket.bind", "socket.connect", "socket.getaddrinfo"):
            print(event, *args, flush=True)

    sys.addaudithook(hook)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def handle(item_id: str) -> None:
        os.write(file, f"begin {item_id}\n".encode())
        time.sleep(float(seconds))
        os.write(file, f"end {item_id}\n".encode())

    terminated = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: terminated.set())
    engine = Engine(url, handle, workers=4, name=queue)
    engine.start()
    terminated.wait()
    return 0 if engine.stop(10) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
