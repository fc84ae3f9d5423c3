"""The house rules, read off the syntax trees: imports point down, hidden ones included; names and sizes of modules.

Each rule is a function from sources to a list of complaints, so that it can be shown to complain about what it must.
"""

import ast
import pathlib
import re
from collections.abc import Iterator, Mapping

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "symtape"

# What a room may import, itself aside. compile, formula and autodiff know nodes only and not each other.
FOOT = {"pytree", "errors", "versions"}
BELOW = {
    "errors": set(),
    "pytree": {"errors"},
    "versions": set(),
    "graph": FOOT,
    "ops": FOOT | {"graph"},
    "autodiff": FOOT | {"graph", "ops"},
    "compile": FOOT | {"graph", "ops"},
    "formula": FOOT | {"graph", "ops"},
    "tape": FOOT | {"graph", "ops", "autodiff", "compile", "formula"},
    "optimize": FOOT | {"graph", "ops", "autodiff", "compile", "formula", "tape"},
}
ROOMS = set(BELOW)  # what stands on the roof may import every room
ROOF = {
    "": ROOMS,
    "testing": ROOMS,
    "notebook": {"errors"},
    "shipped": {"errors"},
    "tour": ROOMS | {"", "shipped"},
    "cli": ROOMS | {"", "shipped", "notebook", "tour"},
    "__main__": {"cli"},
}
MODULE_EXCEPTIONS = {("formula.steps", "autodiff")}

# Packages that are loaded on use, inside functions; nothing else may be imported there.
HEAVY = {
    "platformdirs",
    "sympy",
    "mpmath",
    "numba",
    "llvmlite",
    "scipy",
    "matplotlib",
    "pandas",
    "tqdm",
    "unopy",
    "cyipopt",
    "dask",
    "flint",
}

MAX_LINES = 400
# One idea each, and longer than the limit: the reason stands beside the name.
LONG_MODULES: dict[str, str] = {}

# Reading foreign text or bytes as code has no place here (strings and files are data).
FORBIDDEN_CALLS = {"eval", "exec", "sympify", "parse_expr", "S"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
FORBIDDEN_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")


def read_sources() -> dict[str, str]:
    """Module names without the package's, such as "graph.node", to their texts; "" is the package itself."""
    sources = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return sources


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imports_of(
    module: str, text: str, modules: Mapping[str, str], for_types: bool = True
) -> Iterator[tuple[str, int, bool]]:
    """Yield (full dotted name, line, whether inside a function) of each import, `from package import module` resolved.

    Imports that only a type checker sees are left out on demand.
    """

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, int, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING" and not for_types:
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield alias.name, child.lineno, inside
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    yield f"relative import of {'.' * child.level}{base}", child.lineno, inside
                    continue
                for alias in child.names:
                    full = f"{base}.{alias.name}"
                    yield (full if full.removeprefix(f"{PACKAGE}.") in modules else base), child.lineno, inside
            deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from visit(child, deeper)

    yield from visit(ast.parse(text), inside=False)


def own(name: str) -> str | None:
    """The module of the package that an import names, or None for a foreign one."""
    if name == PACKAGE:
        return ""
    return name.removeprefix(f"{PACKAGE}.") if name.startswith(f"{PACKAGE}.") else None


def complaints_about_direction(sources: Mapping[str, str]) -> list[str]:
    found = []
    for module, text in sources.items():
        room = room_of(module)
        allowed = {**BELOW, **ROOF}.get(room)
        if allowed is None:
            found.append(f"{module}: {room!r} is not a room of the house; write down what it may import")
            continue
        for name, line, _ in imports_of(module, text, sources):
            if name.startswith("relative"):
                found.append(f"{module}:{line}: {name}")
                continue
            target = own(name)
            if target is None:
                continue
            other = room_of(target)
            if other != room and other not in allowed and (module, other) not in MODULE_EXCEPTIONS:
                found.append(f"{module}:{line}: {room or PACKAGE} may not import {name}")
    return found


def complaints_about_hidden_imports(sources: Mapping[str, str]) -> list[str]:
    return [
        f"{module}:{line}: {name} is imported inside a function"
        for module, text in sources.items()
        for name, line, inside in imports_of(module, text, sources)
        if inside and name.partition(".")[0] not in HEAVY
    ]


def complaints_about_cycles(sources: Mapping[str, str]) -> list[str]:
    """Modules that import each other, found by peeling off those whose imports are all peeled already."""
    edges = {
        module: {
            target
            for name, _, _ in imports_of(module, text, sources, for_types=False)
            if (target := own(name)) is not None and target in sources and target != module
        }
        for module, text in sources.items()
    }
    while free := [module for module, targets in edges.items() if not targets & edges.keys()]:
        for module in free:
            del edges[module]
    return [f"{module} is in a knot with {sorted(targets & edges.keys())}" for module, targets in edges.items()]


def bound_names(text: str, modules: Mapping[str, str]) -> set[str]:
    """Names that a module binds at its top level to anything but a module; a table of lazy names counts."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {
                alias.asname or alias.name
                for alias in node.names
                if f"{node.module}.{alias.name}".removeprefix(f"{PACKAGE}.") not in modules
            }
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                match key, value:
                    case ast.Constant(value=str(name)), ast.Constant(value=str(home)) if home == f"{PACKAGE}.{name}":
                        continue  # the module itself is offered
                    case ast.Constant(value=str(name)), _:
                        names.add(name)
    return names


def complaints_about_names(sources: Mapping[str, str], public: set[str]) -> list[str]:
    """A module beside a function of its name replaces it in the package as soon as it is imported."""
    found = []
    for module in sources:
        parent, _, name = module.rpartition(".")
        if not module:
            continue
        beside = bound_names(sources.get(parent, ""), sources) | (public if not parent else set())
        if name in beside:
            found.append(f"{module}: the module bears the name of {parent or PACKAGE}.{name}")
    return found


def complaints_about_size(sources: Mapping[str, str]) -> list[str]:
    return [
        f"{module}: {lines} lines; split it on its ideas"
        for module, text in sources.items()
        if (lines := text.count("\n")) > MAX_LINES and module not in LONG_MODULES
    ]


def complaints_about_habits(sources: Mapping[str, str]) -> list[str]:
    found = []
    for module, text in sources.items():
        found += [
            f"{module}:{i}: {m[0]}" for i, row in enumerate(text.splitlines(), 1) if (m := FORBIDDEN_WORDS.search(row))
        ]
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.ExceptHandler(type=None):
                    found.append(f"{module}:{node.lineno}: bare except")
                case ast.ExceptHandler(type=ast.Name(id="Exception" | "BaseException" as kind)):
                    found.append(f"{module}:{node.lineno}: except {kind}")
                case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                    found.append(f"{module}:{node.lineno}: {name}()")
                case ast.Call(func=ast.Attribute(attr="sympify"), keywords=[ast.keyword(arg="strict")]):
                    pass  # strict: a text is refused, so nothing is parsed
                case ast.Call(func=ast.Attribute(attr=name)) if name in FORBIDDEN_CALLS - {"S", "eval"}:
                    found.append(f"{module}:{node.lineno}: .{name}()")
                case ast.Call(func=ast.Name(id="print")) if module != "cli":
                    found.append(f"{module}:{node.lineno}: print()")
        found += [
            f"{module}:{line}: imports {name}"
            for name, line, _ in imports_of(module, text, sources)
            if name.partition(".")[0] in FORBIDDEN_MODULES
        ]
    return found


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return read_sources()


def test_the_sources_are_found(sources):
    assert {"", "errors", "graph.node", "ops.registry"} <= sources.keys()


def test_imports_point_down(sources):
    assert complaints_about_direction(sources) == []


def test_only_heavy_packages_are_imported_inside_functions(sources):
    assert complaints_about_hidden_imports(sources) == []


def test_no_modules_import_each_other(sources):
    assert complaints_about_cycles(sources) == []


def test_no_module_bears_the_name_of_a_function_beside_it(sources):
    import symtape

    public = {name for name in symtape.__all__ if name not in sources}  # rooms are offered under their own names
    assert complaints_about_names(sources, public) == []
    for name in symtape.__all__:
        if name in sources:
            assert getattr(symtape, name).__name__ == f"symtape.{name}", (
                "a public name and a module beside it must be one thing"
            )


def test_modules_are_of_readable_size(sources):
    assert complaints_about_size(sources) == []
    stale = [module for module in LONG_MODULES if sources.get(module, "").count("\n") <= MAX_LINES]
    assert stale == [], "no longer long: take them off the list"


def test_no_placeholders_no_swallowed_errors_no_code_from_text(sources):
    assert complaints_about_habits(sources) == []


# --- the rules complain when they should ---------------------------------------------------------------------------


def tree(**modules: str) -> dict[str, str]:
    return {"": "", "errors": "", **{name.replace("__", "."): text for name, text in modules.items()}}


@pytest.mark.parametrize(
    "text",
    [
        "import symtape.tape.tensor",
        "from symtape.tape import tensor",
        "from symtape import tape",
        "import symtape",
        "def f():\n    from symtape.tape.tensor import Tensor",
        "class A:\n    def f(self):\n        return lambda: __import__\n    import symtape.optimize",
        "if TYPE_CHECKING:\n    from symtape.tape.tensor import Tensor",
        "from . import node",
    ],
)
def test_an_upward_import_is_seen(text):
    modules = tree(graph__node=text, tape="", tape__tensor="", optimize="")
    assert len(complaints_about_direction(modules)) == 1


def test_an_import_between_neighbors_is_seen():
    modules = tree(
        compile__fuse="import symtape.autodiff.reverse",
        autodiff__sweep="",
        formula__steps="import symtape.autodiff.reverse",
    )
    assert complaints_about_direction(modules) == ["compile.fuse:1: compile may not import symtape.autodiff.reverse"]


def test_an_unknown_room_is_seen():
    assert "not a room" in complaints_about_direction(tree(utils=""))[0]


@pytest.mark.parametrize("name", ["json", "symtape.graph.node", "numpy"])
def test_a_hidden_import_is_seen(name):
    assert len(complaints_about_hidden_imports(tree(ops__x=f"def f():\n    import {name}"))) == 1
    assert complaints_about_hidden_imports(tree(ops__x=f"import {name}")) == []
    assert complaints_about_hidden_imports(tree(ops__x="def f():\n    from scipy import special")) == []


def test_a_knot_is_seen():
    modules = tree(
        ops__a="from symtape.ops import b",
        ops__b="import symtape.ops.c",
        ops__c="import symtape.ops.a",
        ops__d="import symtape.ops.a",
    )
    assert len(complaints_about_cycles(modules)) == 4  # the three, and the one that leans on them
    modules["ops.c"] = "if TYPE_CHECKING:\n    import symtape.ops.a"
    assert complaints_about_cycles(modules) == []


def test_a_name_taken_twice_is_seen():
    assert len(complaints_about_names(tree(minimize=""), {"minimize"})) == 1
    assert len(complaints_about_names({"": "_TABLE = {'grad': 'symtape.tape.x'}", "grad": ""}, set())) == 1
    assert complaints_about_names({"": "_TABLE = {'errors': 'symtape.errors'}", "errors": ""}, set()) == []
    assert (
        len(
            complaints_about_names(
                tree(autodiff="from symtape.autodiff.jacobian import jacobian", autodiff__jacobian=""), set()
            )
        )
        == 1
    )
    assert complaints_about_names(tree(autodiff="", autodiff__jacobian=""), {"jacobian"}) == []
    assert complaints_about_names(tree(ops="from symtape.ops import linalg", ops__linalg=""), {"linalg"}) == []


def test_a_long_module_is_seen():
    assert len(complaints_about_size(tree(ops__x="x = 1\n" * (MAX_LINES + 1)))) == 1
    assert complaints_about_size(tree(ops__x="x = 1\n" * MAX_LINES)) == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept Exception:\n    pass",
        "eval('1')",
        "sympy.sympify(text)",
        "print(1)",
        "import pickle",
        "def f():\n    from pickle import loads",
        "# TODO: later",
        "raise NotImplementedError",
    ],
)
def test_a_bad_habit_is_seen(text):
    assert len(complaints_about_habits(tree(ops__x=text))) == 1
