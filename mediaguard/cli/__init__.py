"""The command line: thin commands over `mediaguard.app`."""
