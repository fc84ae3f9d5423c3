"""The command ``symtape``: a tour, derivatives and minima of formulas typed on the command line, and the lesson.

Formulas are read by `symtape.formula.text`, through a white list; nothing of what is typed is evaluated as code. Exit
code 0 means success, 1 that a question has no good answer (no minimum was certified, a formula cannot be read), 2 that
the command itself was not understood. Errors go to the standard error, without a traceback.

Fields of ``--json``
--------------------
diff
    ``expression`` (as typed), ``variables`` (asked for, in order), ``derivatives`` (name to formula; null where no
    gradient flows), ``latex`` (name to LaTeX; with ``--latex``), and with ``--at``: ``at`` (name to number), ``value``,
    ``gradient`` (name to number or null).
minimize
    ``expression``, ``start`` and ``at`` (name to number), ``value`` (at the point found), ``success``, ``verdict`` (the
    name of the verdict), ``message`` (its sentence), ``method``, ``iterations``, ``gradient_norm`` (largest absolute
    entry of the gradient there).

Numbers that JSON does not have are the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import symtape as st
from symtape import notebook, shipped, tour
from symtape.errors import ExpressionSyntaxError, SymtapeError, UnknownNameError
from symtape.formula.text import free_names, parse
from symtape.tape.tensor import TENSORS
from symtape.versions import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after ``symtape``; the process's own arguments by default.

    Examples
    --------
    >>> main(["diff", "x**2*y + sin(y)", "--wrt", "x"])
    d/dx = 2*x*y
    0
    """
    typed = sys.argv[1:] if arguments is None else arguments
    # all options are long, so a word with one dash is a formula such as -x**2; a blank keeps argparse from taking it
    words = [
        f" {word}" if word.startswith("-") and not word.startswith("--") and word != "-h" else word for word in typed
    ]
    options = _parser().parse_args(words)
    try:
        return int(options.run(options))
    except (SymtapeError, OSError, OverflowError) as error:
        print(f"symtape {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="symtape",
        description="Exact derivatives, fast functions and certified minima of mathematical expressions.",
    )
    parser.add_argument("--version", action="version", version=f"symtape {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    add = commands.add_parser("tour", help="see what symtape does, in a few seconds")
    add.set_defaults(run=_tour)

    add = commands.add_parser("diff", help='exact partial derivatives: symtape diff "x**2*y + sin(y)" --wrt x,y')
    add.add_argument("expression", help="a formula in Python's notation, such as x**2*y + sin(y)")
    add.add_argument("--wrt", type=_names, metavar="x,y", help="variables to differentiate in (default: all)")
    add.add_argument("--at", type=_point, metavar="x=3,y=2", help="a point at which to give numbers too")
    add.add_argument("--latex", action="store_true", help="formulas as LaTeX")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(run=_diff)

    add = commands.add_parser("minimize", help='find a minimum: symtape minimize "(x-1)**2 + (y+2)**2"')
    add.add_argument("expression", help="a formula in Python's notation")
    add.add_argument("--start", type=_point, default={}, metavar="x=0,y=0", help="where to start (default: 0)")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(run=_minimize)

    add = commands.add_parser("lesson", help="copy the lesson out as a Jupyter notebook")
    add.add_argument("path", nargs="?", default="symtape-lesson.ipynb", type=pathlib.Path, help="file to write")
    add.add_argument("--force", action="store_true", help="overwrite an existing file")
    add.set_defaults(run=_lesson)

    add = commands.add_parser("versions", help="what is installed, for reports of errors")
    add.set_defaults(run=_versions)
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if not name.isidentifier():
            raise argparse.ArgumentTypeError(f"{name!r} is no name; wanted names with commas between them, such as x,y")
    return names


def _point(text: str) -> dict[str, float]:
    point: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not (equals and name.isidentifier()):
            raise argparse.ArgumentTypeError(f"{part!r} is no assignment; wanted something like x=3,y=2")
        if name in point:
            raise argparse.ArgumentTypeError(f"{name} is given twice")
        try:
            point[name] = float(number)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{number!r} is no number (for {name})") from None
    return point


# ------------------------------------------------------------------------------------------------------------ commands


def _tour(options: argparse.Namespace) -> int:
    for text in tour.sections():
        print(text, flush=True)
    return 0


def _diff(options: argparse.Namespace) -> int:
    text = options.expression.strip()
    names = free_names(text)
    wrt = names if options.wrt is None else options.wrt
    _all_known(wrt, names, text, "--wrt")
    if not wrt:
        raise ExpressionSyntaxError(f"{text!r} contains no variable to differentiate in")
    if options.at is not None:
        _all_known(options.at, names, text, "--at")
        if missing := [name for name in names if name not in options.at]:
            raise UnknownNameError(f"--at gives no value for {', '.join(missing)}")

    symbols = {name: st.symbol(name) for name in names}
    with st.GradientTape() as tape:
        tape.watch([symbols[name] for name in wrt])
        value = parse(text, symbols, TENSORS)
    derivatives = dict(zip(wrt, tape.gradient(value, [symbols[name] for name in wrt]), strict=True))

    report: dict[str, Any] = {"expression": text, "variables": list(wrt)}
    report["derivatives"] = {name: None if d is None else str(d.expr) for name, d in derivatives.items()}
    if options.latex:
        report["latex"] = {name: None if d is None else d.latex() for name, d in derivatives.items()}
    if options.at is not None:
        point = {symbols[name]: number for name, number in options.at.items()}
        report["at"] = options.at
        report["value"] = float(value.eval(point))
        report["gradient"] = {name: None if d is None else float(d.eval(point)) for name, d in derivatives.items()}
    if options.json:
        print(_json(report))
        return 0
    formulas = report["latex" if options.latex else "derivatives"]
    for name in wrt:
        number = "" if options.at is None or formulas[name] is None else f" = {report['gradient'][name]!r}"
        print(f"d/d{name} = {'none: no gradient flows' if formulas[name] is None else formulas[name]}{number}")
    if options.at is not None:
        print(f"value = {report['value']!r}")
    return 0


def _minimize(options: argparse.Namespace) -> int:
    text = options.expression.strip()
    names = free_names(text)
    if not names:
        raise ExpressionSyntaxError(f"{text!r} contains no variable to minimize in")
    _all_known(options.start, names, text, "--start")
    start = {name: options.start.get(name, 0.0) for name in names}
    variables = {name: st.Variable(number, name=name) for name, number in start.items()}
    result = st.minimize(parse(text, variables, TENSORS), list(variables.values()))
    report = {
        "expression": text,
        "start": start,
        "at": {name: float(result.params[name]) for name in names},
        "value": float(result.fun),
        "success": bool(result.success),
        "verdict": result.certificate.verdict.name,
        "message": result.message,
        "method": str(result.method),
        "iterations": int(result.nit),
        "gradient_norm": float(abs(result.jac).max()),
    }
    if options.json:
        print(_json(report))
    else:
        for name, number in report["at"].items():
            print(f"{name} = {number!r}")
        print(f"value = {report['value']!r}")
        print(report["message"])
    return 0 if report["success"] else 1


def _lesson(options: argparse.Namespace) -> int:
    if options.path.exists() and not options.force:
        raise FileExistsError(f"{options.path} exists already; give another name, or --force to overwrite it")
    options.path.write_text(notebook.to_ipynb(shipped.text("lesson.md")), encoding="utf-8")
    print(f"wrote {options.path}; open it with: jupyter lab {options.path}")
    return 0


def _versions(options: argparse.Namespace) -> int:
    st.show_versions()
    return 0


def _all_known(wanted: Sequence[str] | Mapping[str, float], names: Sequence[str], text: str, option: str) -> None:
    unknown = [name for name in wanted if name not in names]
    if unknown:
        known = ", ".join(names) or "none"
        raise UnknownNameError(f"{option} names {', '.join(unknown)}, which {text!r} does not contain; it has {known}")


def _json(report: Mapping[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return value

    return json.dumps({key: plain(value) for key, value in report.items()}, allow_nan=False)


if __name__ == "__main__":
    sys.exit(main())
