"""Elements of a page, and the text that they become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from bootstrap.reports.masking import Masked

Child: TypeAlias = Element | str | None

# What is not seen, or turns the direction of what follows, and so could hide a difference.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\ufffe\uffff]"
)
_SAID = ("title", "aria-label")  # the attributes that people read
_OURS = ("style",)  # elements whose text is no message


def element(tag: str, /, *children: Child, **attributes: str | None) -> Element:
    """An element with what it holds.

    Args:
        tag: Its name.
        children: Elements and texts; None is left out.
        attributes: By their names, `aria_label` for `aria-label` and `class_` for `class`; one
            that is None is left out.
    """
    made = Element(tag)
    for key, value in attributes.items():
        if value is not None:
            made.set(key.rstrip("_").replace("_", "-"), value)
    for child in children:
        _append(made, child)
    return made


def code(name: str) -> Element:
    """A name or a value of a database, as it is written there."""
    return element("code", name)


def prose(text: str) -> Iterator[Child]:
    """A text of ours, in which what stands between backticks is code."""
    for number, piece in enumerate(text.split("`")):
        yield code(piece) if number % 2 else piece


def several(children: Sequence[Element], *, between: str = ", ") -> Iterator[Child]:
    """Elements with a text between them."""
    for number, child in enumerate(children):
        yield between if number else None
        yield child


def serialised(root: Element, *, masked: Masked) -> str:
    """The page as text.

    Args:
        root: Its outermost element; texts in it are cleaned in place.
        masked: Takes the secrets out of a text. It sees texts before they are escaped, and sees
            them alone, so that no secret is missed and no markup is taken for one.
    """
    for one in root.iter():
        if one.tag not in _OURS:
            one.text = one.text and _visible(masked(one.text))
        one.tail = one.tail and _visible(masked(one.tail))
        for name in _SAID:
            if (value := one.get(name)) is not None:
                one.set(name, _visible(masked(value)))
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _visible(text: str) -> str:
    """A text whose every character can be seen, and be written as UTF-8."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def _append(parent: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + child
    else:
        parent.text = (parent.text or "") + child
