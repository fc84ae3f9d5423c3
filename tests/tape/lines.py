"""A line of a user's program, run on a tape: what is said, and at which line."""

import linecache
import traceback
import warnings

#: Where the line stands in its file.
LINE = 7
_START = [
    "x = st.Variable(X, name='x')",
    "s = st.Variable(0.7, name='s')",
    "k = st.Variable(2, dtype=int, name='k')",
    "M = st.Variable(3 * np.eye(3) + 1, name='M')",
    "with st.GradientTape(persistent=True) as tape:",
    "    y = x * s",
]


def run(line, names):
    """Run a line on a tape.

    Parameters
    ----------
    line : str
        May use ``x`` (three numbers), ``s`` (one), ``k`` (an integer), ``M`` (a matrix) and ``y = x * s``.
    names : dict
        What else it may use: ``np``, ``st`` and the array ``X`` at least. Gets what the line defines.

    Returns
    -------
    error : exception or None
        What it raised; behind an error of NumPy's the one that caused it.
    caught : list of warnings
    filename : str
    """
    filename = f"/nowhere/line_{abs(hash(line)):x}.py"
    text = "\n".join([*_START, f"    {line}", ""])
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(text, filename, "exec"), names)
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            if isinstance(error.__cause__, TypeError):  # NumPy's loops wrap what an element raises
                return error.__cause__.with_traceback(error.__traceback__), caught, filename
            return error, caught, filename
    return None, caught, filename


def said_on(line, names):
    """Messages of the error and the warnings of a line, each with the number of the line that it names."""
    error, caught, filename = run(line, names)
    said = []
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        message = "\n".join([str(error), *getattr(error, "__notes__", [])])
        said = [(message, [f.lineno for f in frames if f.filename == filename][-1])]
    return said + [(str(w.message), w.lineno) for w in caught if w.filename == filename]
