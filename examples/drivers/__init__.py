"""Drivers used directly on the migrated schema, without SQLAlchemy."""
