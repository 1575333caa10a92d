"""Sends a statement as often as it takes to get its lock, and as there is patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Send: TypeAlias = Callable[[str], None]  # with the text; its parameters stay as they are


def patiently(
    send: Send, *, may: Callable[[BaseException], bool], again: Callable[[], bool]
) -> Send:
    """The same, which does not give up at once.

    Args:
        send: Sends a statement.
        may: Tells whether it only got no lock, and nothing but itself was undone.
        again: Pauses, and tells whether to send it again.
    """

    def sending(text: str) -> None:
        while True:
            try:
                send(text)
            except Exception as error:
                if not may(error) or not again():
                    raise
            else:
                return

    return sending
