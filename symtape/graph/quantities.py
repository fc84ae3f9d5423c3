"""Numbers with units, of other packages: a graph has no units, and would lose them without a word."""

from __future__ import annotations

from typing import Any

from symtape.errors import DTypeError
from symtape.graph.node import check_real

#: Kinds of arrays that NumPy may make floats of; an array of objects says itself whether they are numbers.
_AS_FLOATS = "biufO"

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


def real_number(value: Any, what: str) -> Any:
    """The value itself, unless it has a unit or holds what is no real number.

    NumPy would make floats of it: of complex numbers without their imaginary part, of times and texts as they come.

    Parameters
    ----------
    value : object
    what : str
        What the message calls it.

    Raises
    ------
    DTypeError
    """
    value = without_units(value)
    dtype: Any = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "f") not in _AS_FLOATS:
        check_real(dtype, what)
    return value
