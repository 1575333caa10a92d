"""What takes secrets out of the texts of a report, before a document is made of them.

In the document it would be too late: there `p&q` is `p&amp;q`, a line break before a secret makes a
longer word of it, and a secret that is a word of the form, such as `name`, would break it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Masked: TypeAlias = Callable[[str], str]
