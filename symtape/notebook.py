"""From MyST Markdown to a Jupyter notebook, with the standard library alone.

The lesson is kept as text, which people can review and a browser can show; who runs it wants an ``.ipynb``. Only what
the lesson uses is understood: front matter, prose, and fenced ``{code-cell}`` blocks whose first line may be
``:tags: [raises-exception]``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from symtape.errors import NotebookError

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
_TAGS = re.compile(r"\A:tags: \[([^\]\n]*)\]\n+")


def to_ipynb(text: str) -> str:
    r"""Convert a lesson to the JSON of a notebook.

    Parameters
    ----------
    text : str
        MyST Markdown with ``{code-cell}`` blocks.

    Returns
    -------
    str
        A notebook of format 4.5 without outputs; equal texts give equal notebooks.

    Raises
    ------
    NotebookError
        If a block of code is not closed, or there is none.

    Examples
    --------
    >>> import json
    >>> book = json.loads(to_ipynb("# Title\n```{code-cell} python\n1 + 1\n```\n"))
    >>> [(cell["cell_type"], cell["source"]) for cell in book["cells"]]
    [('markdown', ['# Title']), ('code', ['1 + 1'])]
    """
    body = _FRONT_MATTER.sub("", text, count=1)
    cells: list[dict[str, Any]] = []
    end = 0
    for match in _CELL.finditer(body):
        _add_prose(cells, body[end : match.start()])
        code = match[1]
        tags = _TAGS.match(code)
        metadata = {"tags": [tag.strip() for tag in tags[1].split(",")]} if tags else {}
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{len(cells)}",
                "metadata": metadata,
                "outputs": [],
                "source": _lines(code[tags.end() :] if tags else code),
            }
        )
        end = match.end()
    rest = body[end:]
    if "```{code-cell}" in rest:
        raise NotebookError("the last {code-cell} of the text is not closed by a line ```")
    if end == 0:
        raise NotebookError("the text has no {code-cell}, so there is nothing to run")
    _add_prose(cells, rest)
    book = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _lines(text: str) -> list[str]:
    return text.strip("\n").splitlines(keepends=True)


def _add_prose(cells: list[dict[str, Any]], text: str) -> None:
    if text.strip():
        cells.append({"cell_type": "markdown", "id": f"cell-{len(cells)}", "metadata": {}, "source": _lines(text)})
