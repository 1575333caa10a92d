"""What is asked of a history and of a database: where it is, what comes next, what was run."""
