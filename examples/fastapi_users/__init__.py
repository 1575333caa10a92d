"""A small service on the reference schema: users, and the items that they own."""
