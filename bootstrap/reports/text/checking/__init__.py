"""Comparisons, and what is half-applied, as text."""

from bootstrap.reports.text.checking import comparisons as comparisons
from bootstrap.reports.text.checking import repairs as repairs
