"""Histories that nobody has written by hand, killed at statements that nobody has chosen."""
