"""Functions of installed packages, called as they are: they record, or say at which line a value was taken out."""

import re
import traceback
import warnings

import numpy as np

import symtape as st
from symtape.errors import ObjectArrayWarning


def records(function, at, *, order=2, rtol=1e-6):
    """The function of a tensor gives what it gives of numbers, nothing is taken out, and its derivatives are right.

    Parameters
    ----------
    function : callable
        Of one argument, which stands for a parameter of somebody's function.
    at : float or ndarray
    """
    expected = np.asarray(function(np.array(at) if isinstance(at, np.ndarray) else at), float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ObjectArrayWarning)
        with st.GradientTape() as tape:
            found = st.constant(0.0) + function(st.Variable(at, name="x"))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
        assert tape.cuts == []
        st.check_gradients(function, at, order=order, rtol=rtol)


def refused(function, at, filename):
    """What is said when a tensor is handed to a function that cannot be recorded.

    Returns
    -------
    message : str
        Of the error, or of the first warning.
    lines : list of str
        Lines of the file that the message names or that stand in the traceback, the innermost last.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with st.GradientTape():
                function(st.Variable(at, name="x"))
        except (TypeError, ValueError, st.GradientCutWarning) as error:
            while error.__cause__ is not None:  # NumPy puts an error of its own in front of a warning
                error = error.__cause__
            message = "\n".join([str(error), *getattr(error, "__notes__", [])])
            frames = [f"{f.filename}:{f.lineno}: {f.line}" for f in traceback.extract_tb(error.__traceback__)]
            return message, re.findall(rf"{re.escape(filename)}:\d+: ([^\n]*)", "\n".join([message, *frames]))
    raise AssertionError("nothing was said")
