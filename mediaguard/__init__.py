"""mediaguard: publish photos only of pupils who agreed to it."""

__version__ = "0.1.0"
