"""The console: pages for staff, made on the server; they work without a script where they can."""
