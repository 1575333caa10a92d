"""The canonical schema: one model for every backend, compared as values. Pure, without I/O."""
