"""Reports as text for people: a sentence, or a short table.

Each kind of report has its text in one of the modules here, which are found by themselves.
"""

import pkgutil
from importlib import import_module

from bootstrap.reports.text.rendering import render, render_all

__all__ = ["render", "render_all"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
