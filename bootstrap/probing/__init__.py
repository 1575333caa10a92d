"""What a schema does: the same boundary rows on several servers, and how each answers."""
