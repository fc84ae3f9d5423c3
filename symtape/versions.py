"""What is installed: the version of symtape and of what it stands on, for reports of errors.

The module is not called ``show_versions``: a module that bears the name of a public function would replace it in the
package.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import TextIO

__version__ = "0.1.0"

_REQUIRED = ("numpy", "scipy", "sympy", "mpmath", "numba", "llvmlite", "platformdirs")
_OPTIONAL = ("matplotlib", "pandas", "tqdm", "joblib", "unopy", "cyipopt", "dask", "python-flint")


def _installed(name: str) -> str | None:
    """The version of an installed distribution, read from its metadata: nothing is imported."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Collect the versions that a report of an error should carry.

    Returns
    -------
    dict
        Names to versions: symtape, Python, the platform, the required packages ("missing" where one is not installed)
        and those optional ones that are installed.

    Examples
    --------
    >>> from symtape.versions import versions
    >>> list(versions())[:3]
    ['symtape', 'python', 'platform']
    """
    found = {
        "symtape": __version__,
        "python": sys.version.replace("\n", " "),
        "platform": f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores",
    }
    found |= {name: _installed(name) or "missing" for name in _REQUIRED}
    found |= {name: version for name in _OPTIONAL if (version := _installed(name)) is not None}
    return found


def show_versions(file: TextIO | None = None) -> None:
    """Print the versions of symtape, Python and the packages it uses; paste this into a report of an error.

    Parameters
    ----------
    file : text file, optional
        Where to write; the standard output by default.

    Examples
    --------
    >>> import symtape as st
    >>> st.show_versions()  # doctest: +ELLIPSIS
    symtape       0.1.0
    python        3...
    """
    found = versions()
    width = max(len(name) for name in found) + 1
    out = sys.stdout if file is None else file
    out.writelines(f"{name:<{width}} {version}\n" for name, version in found.items())
