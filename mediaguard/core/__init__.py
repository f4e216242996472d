"""The rules: pure Python and numpy, no clock, no I/O."""
