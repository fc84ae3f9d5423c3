"""Sphinx configuration: MyST pages, docstrings, and two pages that are generated from the package itself."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.directives.code import CodeBlock

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import symtape  # noqa: E402
from symtape.ops import registry  # noqa: E402
from symtape.ops.op import flow  # noqa: E402

project = "symtape"
author = "The symtape developers"
project_copyright = author
version = release = symtape.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False  # types in docstrings are words, no references
napoleon_use_rtype = False
napoleon_use_ivar = True
html_theme = "alabaster"
html_theme_options = {
    "description": "exact derivatives, fast functions, certified minima",
    "fixed_sidebar": True,
    "page_width": "1080px",
}
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html", "relations.html"]}
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|scipy|sympy|np|collections|optional|ndarray|array_like).*"),
]

_GROUPS = {
    "symtape.tape.gradient_tape": "The tape",
    "symtape.tape.tensor": "Tensors and variables",
    "symtape.tape.variable": "Tensors and variables",
    "symtape.tape.custom": "The tape",
    "symtape.tape.own_": "Functions of your own",
    "symtape.tape.black_boxes": "Functions of your own",
    "symtape.tape.transforms": "Functional style",
    "symtape.tape.jacobians": "Functional style",
    "symtape.tape.vectorize": "Functional style",
    "symtape.tape.functions": "What NumPy does not dispatch",
    "symtape.tape.branch": "What NumPy does not dispatch",
    "symtape.tape.compiled": "Compiled functions",
    "symtape.optimize": "Minimizing and fitting",
    "symtape.errors": "Errors and warnings",
}


def _group(home: str) -> str:
    for prefix, title in _GROUPS.items():
        if home.startswith(prefix):
            return title
    return "More"


def write_api(target: Path) -> None:
    """One entry for each public name, from the package's own table."""
    groups: dict[str, list[str]] = {}
    for name in symtape.__all__:
        if not name.startswith("__") and not inspect.ismodule(getattr(symtape, name)):
            groups.setdefault(_group(symtape._PUBLIC[name]), []).append(name)
    order = [*dict.fromkeys(_GROUPS.values()), "More"]
    lines = [
        "# API reference",
        "",
        "Everything here is `symtape.NAME`, with `import symtape as st` written `st.NAME`.",
        "",
    ]
    errors = [
        f"{thing.__module__}.{name}"
        for name, thing in vars(symtape.errors).items()
        if inspect.isclass(thing) and issubclass(thing, symtape.errors.SymtapeError | Warning)
    ]
    for title in order:
        names = sorted(groups.get(title, []), key=str.lower)
        if title == "Errors and warnings":
            continue
        lines += [f"## {title}", ""]
        for name in names:
            lines += [f"### {name}", "", *_entry(getattr(symtape, name), f"symtape.{name}")]
    lines += [
        "## Errors and warnings",
        "",
        "All of them stand in `symtape.errors`; most have a name in `symtape` too.",
        "",
    ]
    for full in errors:
        lines += ["```{eval-rst}", f".. autoexception:: {full}", "   :show-inheritance:", "```", ""]
    target.write_text("\n".join(lines), encoding="utf-8")


def _entry(thing: object, full: str) -> list[str]:
    """The directive that documents a thing."""
    options: list[str] = []
    if inspect.isclass(thing):
        kind, options = "autoclass", ["   :members:", "   :inherited-members: dict, object"]
    else:
        kind = "autofunction" if inspect.isroutine(thing) else "autodata"
    return ["```{eval-rst}", f".. {kind}:: {full}", *options, "```", ""]


def write_operations(target: Path) -> None:
    """The table of functions, from the registry."""
    importlib.import_module("symtape.ops")
    lines = [
        "# Table of operations",
        "",
        "Generated from the registry. These functions record when a tensor is among their arguments, with the",
        "signatures of NumPy and SciPy; SciPy's are called as `st.special`, `st.stats` and `st.linalg`. *Composed*",
        "ones are built of others, and so is their gradient.",
        "",
        "| function | kind | gradient |",
        "|---|---|---|",
    ]
    rows = {}
    for name, entry in registry.functions().items():
        op = entry.op or registry.ops().get(name)
        if op is None:
            kind, gradient = "composed", "of its parts"
        else:
            flows = op.differentiable and any(flow(op, i) for i in range(_arity(op)))
            kind, gradient = op.kind.value, "yes" if flows else "none"
        for full in entry.implements:
            rows[full] = f"| `{full}` | {kind} | {gradient} |"
    order = sorted(rows, key=lambda full: (full.count("."), full))
    target.write_text("\n".join([*lines, *(rows[full] for full in order)]) + "\n", encoding="utf-8")


def _arity(op: Any) -> int:
    """Number of inputs whose gradients are told apart."""
    return len(op.vjp) if isinstance(op.vjp, tuple) else 1


def write_generated(app: Sphinx) -> None:
    """Write the pages that the package itself determines."""
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    write_api(folder / "api.md")
    write_operations(folder / "operations.md")
    lesson = (HERE.parent / "examples" / "lesson.md").read_text(encoding="utf-8")
    (folder / "lesson.md").write_text(lesson, encoding="utf-8")


def resolve_error(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Find the exceptions that docstrings name without their module."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or not hasattr(symtape.errors, name):
        return None
    return env.domains["py"].resolve_xref(
        env, node["refdoc"], app.builder, "exc", f"symtape.errors.{name}", node, content
    )


def keep_descriptions(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Give a property's description back its first words, up to a colon, which napoleon has taken for a type."""
    if what in {"attribute", "property", "data"}:
        for i, line in enumerate(lines):
            if line.startswith(":type: "):
                lines[i] = ""
                lines[0] = f"{line.removeprefix(':type: ')}: {lines[0]}"


class CodeCell(CodeBlock):
    """Shows a cell of the lesson as code; the tests run it."""

    option_spec = {**CodeBlock.option_spec, "tags": str}  # noqa: RUF012 (Sphinx's own way)


def setup(app: Sphinx) -> None:
    """Register what is ours."""
    app.add_directive("code-cell", CodeCell)
    app.connect("missing-reference", resolve_error)
    app.connect("autodoc-process-docstring", keep_descriptions, priority=600)  # after napoleon
    app.connect("config-inited", lambda app, config: write_generated(app))
