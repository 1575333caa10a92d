"""Kills a migration at every statement, runs it once more, and compares what came out.

`killing` is the child: env.py of the scenarios uses it, and nothing in the product knows of it.
`runner` forks a child for each kill point. `scenarios` are what is migrated. `comparing` says
whether two databases are the same. A backend joins with a place for its databases (`places`).
"""
