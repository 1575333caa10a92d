"""Changes of models, and what becomes of the revisions that autogenerate writes for them."""
