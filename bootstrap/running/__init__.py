"""Moves a database along its history."""
