"""Seed data: files are read, checked against the schema that is there, compared and written."""
