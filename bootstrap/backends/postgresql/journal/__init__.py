"""The journal on PostgreSQL, for what a revision does outside of transactions."""
