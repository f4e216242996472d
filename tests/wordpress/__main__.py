"""Serves a fresh WordPress until Ctrl+C: ``python -m tests.wordpress``."""

import contextlib
import json
import signal

from tests.wordpress.server import MissingError, Site


def main() -> None:
    try:
        site = Site.create()
    except MissingError as error:
        raise SystemExit(str(error)) from None
    try:
        print(json.dumps({"url": site.url, "user": site.user, "password": site.password}))
        print("Ctrl+C ends it and forgets everything.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    finally:
        site.stop()


main()
