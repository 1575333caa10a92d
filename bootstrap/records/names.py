"""The tables that bootstrap keeps in a database beside Alembic's version table."""

JOURNAL = "bootstrap_journal"
LOG = "bootstrap_log"
LOCK = "bootstrap_lock"
SEEDS = "bootstrap_seeds"

TOOL_TABLES = frozenset({JOURNAL, LOG, LOCK, SEEDS})
