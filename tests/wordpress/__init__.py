"""A real WordPress on this machine, to publish to: see `server.py`."""
