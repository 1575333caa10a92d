"""The revisions on disk, and the env.py that runs them."""
