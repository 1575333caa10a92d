"""What bootstrap reads from and writes into a database for its own work."""
