"""Numbers with units, of other packages: a graph has no units, and would lose them without a word."""

from __future__ import annotations

from typing import Any

from symtape.errors import DTypeError

#: Where such classes keep number and unit: pint; unyt; astropy.
_PLACES = (("magnitude", "units"), ("value", "units"), ("value", "unit"))


def without_units(value: Any) -> Any:
    """The value itself, unless it is a number with a unit.

    Raises
    ------
    DTypeError
        Naming the attribute that gives the plain number.
    """
    kind = type(value)
    for number, unit in _PLACES:
        if hasattr(kind, number) and hasattr(kind, unit) and hasattr(kind, "__array__"):
            raise DTypeError(
                f"the {kind.__name__} {value} has a unit, and expressions have none: convert it to the unit that you "
                f"mean and hand over the plain number, x.{number}"
            )
    return value
