"""What other programs load of bootstrap by themselves."""
