"""What is compared with the database, and written."""
