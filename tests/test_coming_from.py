"""Every row of the tables in ``docs/coming-from.md`` runs: what one types here, and there if that package is at hand.

A page has one block of Python that all share, and each section two: what stands before the rows there and here. The
cells of a row are code, of which the last piece has a value; the third column says which. Where it says "here" behind
the value, the other side has something else that cannot be compared.
"""

import ast
import pathlib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.errors import SlowCallbackWarning

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "coming-from.md"
CODE = re.compile(r"`([^`]+)`")

#: Packages whose side of the rows runs here as well, if they are installed.
PEERS = {"SymPy": "sympy", "lmfit": "lmfit", "autograd": "autograd"}
#: How far a value may be from what the page says, relative: values of fits are shown with seven digits, and others stop
#: searching sooner.
HERE = {"lmfit": 1e-6}
THERE = {"lmfit": 1e-4}
EXACT = 1e-9
FEWEST_ROWS = {"TensorFlow": 50, "JAX": 50, "autograd": 25, "SymPy": 35, "CasADi": 35, "lmfit": 20}


@dataclass(frozen=True)
class Row:
    """One row: pieces of code there and here, and the code of the value."""

    section: str
    line: int
    there: list[str]
    here: list[str]
    value: str
    both: bool = True


@dataclass(frozen=True)
class Section:
    """A table with the code before it."""

    name: str
    there: str
    here: str
    rows: list[Row]


def pieces(cell: str) -> list[str]:
    """The code in a cell."""
    return [code.replace(r"\|", "|") for code in CODE.findall(cell)]


def read(text: str) -> tuple[str, list[Section]]:
    """The block that all share, and the sections."""
    heads = list(re.finditer(r"^## (.+)$", text, re.MULTILINE))
    common = python_blocks(text[: heads[0].start()])
    sections = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        start = head.end()
        body = text[start : after.start() if after else len(text)]
        there, here = python_blocks(body)
        rows = []
        for match in re.finditer(r"^\|(.*)\|$", body, re.MULTILINE):
            cells = re.split(r"(?<!\\)\|", match[1])
            if len(cells) != 4 or not pieces(cells[0]) or cells[0].strip().startswith("---"):
                continue
            line = text.count("\n", 0, start + match.start()) + 1
            (value,) = pieces(cells[2])
            rows.append(
                Row(head[1], line, pieces(cells[0]), pieces(cells[1]), value, not cells[2].strip().endswith(" here"))
            )
        sections.append(Section(head[1], there, here, rows))
    return common[0], sections


def python_blocks(text: str) -> list[str]:
    """Fenced blocks of Python."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run(code: list[str], space: dict) -> object:
    """Run pieces of code one after the other; the value of the last."""
    *first, last = code
    for piece in first:
        exec(piece, space)
    tree = ast.parse(last)
    end = tree.body[-1]
    if not isinstance(end, ast.Expr):
        exec(last, space)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "<row>", "exec"), space)
    return eval(compile(ast.Expression(end.value), "<row>", "eval"), space)


def plain(value: object) -> object:
    """A value of anybody's as arrays, numbers, text, None or sympy expressions."""
    if isinstance(value, sympy.Basic | sympy.MatrixBase | str | bool | type(None)):
        return value
    if hasattr(value, "numpy"):
        value = value.numpy()
    elif hasattr(value, "full"):  # of CasADi
        value = np.squeeze(value.full())
    return value


def leaves(value: object) -> Iterator[object]:
    """The leaves of nested values; a list of numbers is an array."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, list | tuple) and not isinstance(value, sympy.Basic):
        for part in value:
            yield from leaves(part)
    else:
        found = plain(value)
        if isinstance(found, sympy.MatrixBase | sympy.NDimArray):
            yield from sympy.flatten(found)
        elif isinstance(found, np.ndarray) or (hasattr(found, "__array__") and not isinstance(found, sympy.Basic)):
            yield from np.asarray(found).ravel().tolist()
        else:
            yield found


def complaint(found: object, wanted: object, rtol: float) -> str | None:
    """What is wrong with a value, if anything."""
    a, b = list(leaves(found)), list(leaves(wanted))
    if len(a) != len(b):
        return f"{len(a)} values, wanted {len(b)}: {found!r}"
    for x, y in zip(a, b, strict=True):
        if str(x) == str(y):
            same = True
        elif isinstance(x, sympy.Basic) or isinstance(y, sympy.Basic):
            same = sympy.simplify(without_assumptions(x) - without_assumptions(y)) == 0
        elif isinstance(x, str | type(None)) or isinstance(y, str | type(None)):
            same = x == y
        else:
            same = np.isclose(float(x), float(y), rtol=rtol, atol=rtol / 100, equal_nan=True)
        if not same:
            return f"got {x!r}, wanted {y!r} (of {found!r})"
    return None


def without_assumptions(value: object) -> sympy.Expr:
    """An expression over symbols that are known by their names."""
    expression = sympy.sympify(value)
    return expression.xreplace({s: sympy.Symbol(str(s)) for s in expression.free_symbols})


COMMON, SECTIONS = read(PAGE.read_text(encoding="utf-8"))
ROWS = [pytest.param(section, row, id=f"{section.name}-{row.line}") for section in SECTIONS for row in section.rows]


def test_the_tables_are_found():
    assert [section.name for section in SECTIONS] == list(FEWEST_ROWS)
    for section in SECTIONS:
        assert len(section.rows) >= FEWEST_ROWS[section.name], section.name
        shown = [tuple(row.there) for row in section.rows]
        assert len(set(shown)) == len(shown), "a row is there twice"


@pytest.mark.parametrize(("section", "row"), ROWS)
def test_a_row_runs_here(section, row):
    space: dict = {}
    exec(COMMON, space)
    exec(section.here, space)
    assert row.here, "a row without anything to type here"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowCallbackWarning)  # a note says so
        found = run(row.here, space)
    assert complaint(found, eval(row.value, space), HERE.get(section.name, EXACT)) is None


@pytest.mark.parametrize(("section", "row"), [p for p in ROWS if p.values[0].name in PEERS])
def test_a_row_says_the_truth_of_what_was_typed_there(section, row):
    pytest.importorskip(PEERS[section.name])
    space: dict = {}
    exec(COMMON, space)
    exec(section.there, space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are the other package's own
        found = run(row.there, space)
    assert not row.both or complaint(found, eval(row.value, space), THERE.get(section.name, EXACT)) is None


def test_names_in_the_tables_that_look_public_are():
    for section in SECTIONS:
        for row in section.rows:
            for name in re.findall(r"\bst\.(\w+)", " ".join(row.here)):
                assert hasattr(st, name)


@pytest.mark.parametrize(
    ("found", "wanted", "good"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.1, False),
        ([1.0, None], (1.0, None), True),
        ([1.0, None], (1.0, 0.0), False),
        (np.ones(2), [1, 1], True),
        (np.ones(2), [1, 1, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (sympy.Symbol("x", real=True) * 2, sympy.Symbol("x") + sympy.Symbol("x"), True),
        (sympy.Symbol("x") * 2, sympy.Symbol("x"), False),
        ("a", "b", False),
        (np.nan, np.nan, True),
    ],
)
def test_the_comparison_can_fail(found, wanted, good):
    assert (complaint(found, wanted, 1e-9) is None) == good


def test_a_wrong_row_would_be_seen():
    text = """
```python
import numpy as np
```

## SymPy

```python
```

```python
import symtape as st
```

| SymPy | here | gives | |
|---|---|---|---|
| `1 \\| 2` | `a = 1`<br>`a + 1` | `2` | |
"""
    common, (section,) = read(text)
    assert common == "import numpy as np\n"
    assert (section.there, section.here) == ("", "import symtape as st\n")
    (row,) = section.rows
    assert row == Row("SymPy", 17, ["1 | 2"], ["a = 1", "a + 1"], "2")
    assert complaint(run(row.here, {}), 2, 0) is None
    assert complaint(run(row.there, {}), 2, 0) is not None
