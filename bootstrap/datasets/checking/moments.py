"""Times of large files: a whole column of the same form is checked without making values of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from bootstrap.backends.moments import Moments

_ZEROS = str.maketrans("123456789", "0" * 9)
_SHAPE = re.compile(r"0000-00-00[ T]00:00:00(?:\.(?P<digits>000|000000))?(?P<zone>Z|\+00:00)?")
_DIGITS = 6


def moments_of(said: Sequence[str]) -> Moments | None:
    """The times that texts say; None where they have several forms, or another offset.

    Raises:
        ValueError: One names a day or an hour that there is not.
    """
    joined = "\n".join(said)
    shapes = joined.translate(_ZEROS)
    shape, _, _ = shapes.partition("\n")
    found = _SHAPE.fullmatch(shape)
    if not found or shapes != "\n".join([shape] * len(said)):
        return None
    zone, digits = found["zone"] or "", found["digits"] or ""
    if zone and joined.count(zone) != len(said):
        return None
    texts = _in_full(joined.replace("T", " "), zone, digits).split("\n")
    deque(map(datetime.fromisoformat, texts), maxlen=0)
    return Moments(texts)


def _in_full(joined: str, zone: str, digits: str) -> str:
    """The same with six digits behind the point and no zone."""
    plain = joined.replace(zone, "") if zone else joined
    missing = "0" * (_DIGITS - len(digits)) if digits else "." + "0" * _DIGITS
    return plain.replace("\n", f"{missing}\n") + missing if missing else plain
