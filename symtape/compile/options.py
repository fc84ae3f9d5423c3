"""Choices of the compiler: one frozen record, part of the key under which compiled code is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a graph is compiled.

    Parameters
    ----------
    contract : bool
        Whether a multiplication and an addition may become one fused operation with a single rounding. False gives the
        roundings of the written operations, on machines with and without such an instruction.
    cache : bool
        Whether compiled code is kept in, and taken from, the cache folder of the user.
    unroll : int
        Arrays of up to this many elements become scalars in straight-line code; larger ones are loops.
    chunk : int
        Straight-line code is cut into functions of about this many operations.
    optimize : int
        Modules of up to this many operations go through LLVM's optimizer; larger ones are translated as they are, since
        straight-line code gains little and the time grows faster than the code.
    level : int
        LLVM's optimization level for those modules, 0 to 3.

    Examples
    --------
    >>> from symtape.compile.options import Options
    >>> Options(contract=False).contract
    False
    """

    contract: bool = True
    cache: bool = True
    unroll: int = 32
    chunk: int = 1000
    optimize: int = 500
    level: int = 2

    def __post_init__(self) -> None:
        for name in ("contract", "cache"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"the option {name} is a bool, got {getattr(self, name)!r}")
        for name, low in (("unroll", 0), ("chunk", 10), ("optimize", 0), ("level", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"the option {name} is an int, got {value!r}")
            if value < low:
                raise ValueError(f"the option {name} is at least {low}, got {value}")
        if self.level > 3:
            raise ValueError(f"the option level is 0 to 3, got {self.level}")

    def key(self) -> dict[str, int | bool]:
        """What of the options can change the machine code of a given text: the part of a cache key."""
        return {name: value for name, value in asdict(self).items() if name in ("optimize", "level")}
