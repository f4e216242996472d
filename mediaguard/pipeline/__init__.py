"""The order of the steps, one verb a file. A step calls ports, never another step."""
