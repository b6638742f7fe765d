"""Generated functions: the one place where a text becomes code.

Whoever makes such a text lets nothing into it but names, and has checked that they are names.
"""

from __future__ import annotations

import functools
import keyword
from types import CodeType
from typing import Any


def is_name(text: str) -> bool:
    """Whether a text may be spelt as a name."""
    return text.isidentifier() and not keyword.iskeyword(text)


def defined_by(text: str, name: str, variables: dict[str, Any], known: dict[str, Any] | None = None) -> Any:
    """The function that a text defines under a name.

    Args:
        text: the definition.
        name: that it has in it.
        variables: what the function sees as global.
        known: where it is defined, if it is not to be found among these afterwards.
    """
    namespace = variables if known is None else known
    exec(code_of(text), variables, namespace)
    return namespace.pop(name)


@functools.lru_cache(maxsize=256)
def code_of(text: str) -> CodeType:
    """Functions that look alike share their code."""
    return compile(text, "<wats_accel>", "exec", dont_inherit=True)
