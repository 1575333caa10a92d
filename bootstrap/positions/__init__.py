"""Where a database is in its history, and the ways on from there."""
