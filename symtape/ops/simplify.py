"""The identities that keep derivatives small, used only where derivatives are built: what a user records stays as recorded.

Each looks at one op and its direct inputs, costs O(its inputs) and is tried once a node. A rule ``rule(B, inputs, params)`` gives a simpler
value equal for every input, NaN and infinity included, or None. Therefore ``x*0``, ``x - x`` and ``x/x`` are not among them, and constants
are folded only where the arithmetic is exact. (``x + 0`` may turn -0.0 into itself where IEEE arithmetic gives 0.0; nothing else differs.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Identity: TypeAlias = Callable[[Any, tuple[Any, ...], tuple[Any, ...]], Any]

#: Op name to its identity.
IDENTITIES: dict[str, Identity] = {}


def identity(name: str) -> Callable[[Identity], Identity]:
    """Enter the identity of an op."""

    def enter(rule: Identity) -> Identity:
        IDENTITIES[name] = rule
        return rule

    return enter
