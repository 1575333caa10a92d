"""Renderers over the values that commands report."""
