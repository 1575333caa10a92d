"""Real database engines for tests, fetched into a folder of their own."""
