"""What is asked of a history and of a database, as text."""

from bootstrap.reports.text.inspecting import browsing as browsing
from bootstrap.reports.text.inspecting import logged as logged
from bootstrap.reports.text.inspecting import planned as planned
from bootstrap.reports.text.inspecting import position as position
from bootstrap.reports.text.inspecting import sentences as sentences
