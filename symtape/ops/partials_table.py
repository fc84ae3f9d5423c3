"""The writer of the table of partials that ships with the package: ``python -m symtape.ops.partials_table``."""

from __future__ import annotations

import json
from typing import Any

from symtape.graph.node import ITEM
from symtape.ops import registry
from symtape.ops.kept_partials import PATH, to_data
from symtape.ops.partials import derive, derived_arguments


def derived_now() -> dict[str, dict[str, Any]]:
    """What sympy says today of each op that comes with symtape and declares no partial of its own."""
    return {
        name: {str(i): to_data(derive(op, i)) for i in arguments}
        for name, op in sorted(registry.ops().items())
        if name != ITEM.name and (arguments := derived_arguments(op))
    }


def write() -> None:
    """Write the table anew."""
    import sympy

    ops = [
        f'  "{name}": {{\n' + ",\n".join(f'    "{i}": {json.dumps(entry)}' for i, entry in entries.items()) + "\n  }"
        for name, entries in derived_now().items()
    ]
    text = f'{{"sympy": "{sympy.__version__}", "partials": {{\n' + ",\n".join(ops) + "\n}}\n"
    PATH.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
