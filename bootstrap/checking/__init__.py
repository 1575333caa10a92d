"""Looks at what a database really is."""
