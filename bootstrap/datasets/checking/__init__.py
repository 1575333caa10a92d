"""Whether data sets fit the tables that are there, and the order in which they are written."""
