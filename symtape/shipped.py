"""Files that come with the package: the lesson and a data set. One copy stands in the tree, in ``examples/``.

A wheel carries them in ``symtape/data/``; a checkout that was not installed has them where they are kept.
"""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_TREE = {"lesson.md": "examples/lesson.md", "Misra1a.dat": "examples/data/Misra1a.dat"}


def text(name: str) -> str:
    """Text of a shipped file.

    Parameters
    ----------
    name : str
        ``"lesson.md"`` or ``"Misra1a.dat"``.

    Raises
    ------
    FileNotFoundError
        If the installation lacks it.

    Examples
    --------
    >>> text("Misra1a.dat").splitlines()[0]
    'NIST/ITL StRD'
    """
    packaged = importlib.resources.files("symtape").joinpath("data", name)
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return Path(__file__).parent.parent.joinpath(_TREE[name]).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Reference:
    """A nonlinear regression of NIST's Statistical Reference Datasets, with certified values.

    Attributes
    ----------
    name : str
    x, y : ndarray
        Predictor and response; of several predictors each is a row of ``x``.
    starts : tuple of two dicts
        Parameter names to NIST's two starting values.
    certified, stderr : dict
        Parameter names to certified estimates and standard deviations.
    residual_sum_of_squares : float
    """

    name: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    starts: tuple[dict[str, float], dict[str, float]]
    certified: dict[str, float]
    stderr: dict[str, float]
    residual_sum_of_squares: float


_PARAMETER = re.compile(r"^\s*(b\d+)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE)


def reference(content: str) -> Reference:
    """Read the text of a file of NIST's nonlinear regression data sets.

    Examples
    --------
    >>> reference(text("Misra1a.dat")).certified["b1"]
    238.94212918
    """
    rows = [(name, *map(float, numbers)) for name, *numbers in _PARAMETER.findall(content)]
    squares = re.search(r"Residual Sum of Squares:\s*(\S+)", content)
    title = re.search(r"Dataset Name:\s*(\S+)", content)
    data = re.split(r"^Data:\s+y\s+x.*$", content, flags=re.MULTILINE)[-1]
    if not rows or squares is None or title is None:
        raise ValueError("the text is not a file of NIST's nonlinear regression data sets")
    y, *predictors = np.array([row.split() for row in data.strip().splitlines()], float).T
    x = predictors[0] if len(predictors) == 1 else np.array(predictors)
    return Reference(
        name=title[1],
        x=x,
        y=y,
        starts=({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}),
        certified={row[0]: row[3] for row in rows},
        stderr={row[0]: row[4] for row in rows},
        residual_sum_of_squares=float(squares[1]),
    )
