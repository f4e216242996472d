"""Measurements beside the peers; each module is one command. Never part of the tests."""
