"""What other programs use of bootstrap."""
