"""Expressions from text, such as ``"x**2*y + sin(y)"``: a white list over Python's syntax tree, nothing is evaluated.

`parse` reads numbers, names, elements such as ``A[0, 1]``, ``+ - * / // % **``, one comparison at a time and calls of
elementwise functions of the registry, under NumPy's names and under sympy's. It builds with any namespace, so one
reader serves nodes and recorded tensors. Whatever else Python's grammar allows (attributes, slices, lambdas, strings,
comprehensions) is an error that points at the column. Length and depth are bounded before anything is built, and no
walk recurses.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from symtape.errors import ExpressionSyntaxError
from symtape.ops import registry

MAX_LENGTH: Final = 20_000  #: characters
MAX_DEPTH: Final = 500
_MAX_BITS: Final = 1_000  # of an integer that constants multiply up to

#: Names that stand for numbers unless the caller gives them another meaning.
CONSTANTS: Final[Mapping[str, float]] = {"pi": math.pi, "E": math.e}

#: sympy's names (and the schoolbook's) for functions that NumPy calls otherwise.
ALIASES: Final[Mapping[str, str]] = {
    "Abs": "absolute",
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "ceiling": "ceil",
    "Heaviside": "heaviside",
    "ln": "log",
    "loggamma": "gammaln",
    "Max": "maximum",
    "max": "maximum",
    "Min": "minimum",
    "min": "minimum",
    "sigmoid": "expit",
}

_BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder",
    ast.Pow: "power",
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
#: Functions of elements that are built of several operations.
_COMPOSED: Final = frozenset({"maximum", "minimum", "fmax", "fmin", "where", "clip", "fix", "round", "float_power"})
#: Elementwise, and of no use on real numbers.
_INTEGER: Final = frozenset(
    (
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "bitwise_count",
        "invert",
        "left_shift",
        "right_shift",
        "gcd",
        "lcm",
        "ldexp",
    )
)
_FOLDING: Final = frozenset({"maximum", "minimum"})  # of two arguments; more are taken from the left


def parse(text: str, names: Mapping[str, Any], B: Any) -> Any:
    """Build the expression that a text describes.

    Parameters
    ----------
    text : str
        Such as ``"x**2*y + sin(y)"``.
    names : mapping of str
        What each name stands for: anything that ``B.lift`` takes.
    B : Namespace
        What to build with.

    Returns
    -------
    value of the namespace

    Raises
    ------
    ExpressionSyntaxError
        A ValueError that names what could not be read, where it stands and what is meant instead.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> parse("x**2 + 1", {"x": symbol("x")}, NODES)
    <add float64[]>
    """
    tree = _tree(text)
    return _Reader(text, names, B).read(tree)


def free_names(text: str) -> tuple[str, ...]:
    """Names in a text that are neither functions nor constants, in the order in which they first stand there.

    Examples
    --------
    >>> free_names("y*sin(x) + pi*y")
    ('y', 'x')
    """
    tree = _tree(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in found if node.id not in CONSTANTS))


def function_names() -> tuple[str, ...]:
    """Every function that may stand in a text."""
    own = {name for name in registry.functions() if _readable(name)}
    return tuple(sorted(own | {alias for alias, name in ALIASES.items() if name in own}))


def _readable(name: str) -> bool:
    """Whether the registry's function of that name is one of real numbers, element by element, that people know."""
    entry = registry.functions().get(name)
    if entry is None or not entry.implements or name in _INTEGER:
        return False
    return entry.op is not None or name in _COMPOSED


def _tree(text: str) -> ast.expr:
    """The syntax tree of a text, within the bounds."""
    if not isinstance(text, str):  # callers hand on what a user typed
        raise TypeError(f"an expression is a str, got {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(
            f"the expression has {len(text):,} characters; the most that is read is {MAX_LENGTH:,}"
        )
    if not text.strip():
        raise ExpressionSyntaxError("the expression is empty; wanted something like x**2*y + sin(y)")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (RecursionError, MemoryError) as error:
        raise ExpressionSyntaxError(f"the expression is nested more than {MAX_DEPTH} deep; split it") from error
    except SyntaxError as error:
        column = f" at column {error.offset}" if error.offset else ""
        raise ExpressionSyntaxError(f"cannot read {_shorten(text)!r}{column}: {error.msg}") from error
    except ValueError as error:
        raise ExpressionSyntaxError(f"cannot read {_shorten(text)!r}: {error}") from error
    depth, level = 0, [tree]
    while level:  # one pass over each level: the depth without recursion
        depth += 1
        if depth > MAX_DEPTH:
            raise ExpressionSyntaxError(f"the expression is nested more than {MAX_DEPTH} deep; split it")
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return tree


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


class _Reader:
    """Turns one syntax tree into values, children first, with stacks of its own."""

    def __init__(self, text: str, names: Mapping[str, Any], B: Any) -> None:
        self.text = text.strip()
        self.names = names
        self.B = B
        self.values: list[Any] = []

    def read(self, tree: ast.expr) -> Any:
        """Take the tree apart until only values are left."""
        todo: list[ast.expr | Callable[[], None]] = [tree]
        while todo:
            task = todo.pop()
            if isinstance(task, ast.expr):
                children, finish = self.plan(task)
                todo.append(finish)
                todo.extend(reversed(children))
            else:
                task()
        (value,) = self.values
        return self.lift(value)

    def plan(self, node: ast.expr) -> tuple[list[ast.expr], Callable[[], None]]:
        """What has to be read first, and what makes a value of it then."""
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                return [], lambda: self.values.append(number)
            case ast.Name(id=name):
                return [], lambda: self.values.append(self.named(node, name))
            case ast.BinOp(op=ast.BitXor()):
                mended = _shorten(self.text.replace("^", "**"))
                raise self.error(node, f"^ is no power here; write ** for a power: {mended}")
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                return [left, right], lambda: self.binary(_BINARY[type(operator)])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return [operand], lambda: None
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return [operand], self.negative
            case ast.Subscript(value=ast.Name(id=name), slice=place) if name in self.names:
                at = self.place(node, place)
                return [], lambda: self.values.append(self.element(node, name, at))
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                return [left, right], lambda: self.call(_COMPARISONS[type(operator)], 2)
            case ast.Compare():
                raise self.error(node, "one comparison at a time; join two with logical_and(a < b, b < c)")
            case ast.BoolOp():
                raise self.error(node, "write logical_and(p, q) or logical_or(p, q)")
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                function, count = self.function(node, name), len(args)
                return list(args), lambda: self.call(function, count, node)
            case ast.Call(keywords=[_, *_]):
                raise self.error(node, "functions take positional arguments only")
        raise self.error(
            node, "only numbers, names, elements, + - * / // % **, comparisons and calls of functions are read"
        )

    def error(self, node: ast.expr, why: str) -> ExpressionSyntaxError:
        """An error that shows the piece of text it is about."""
        piece = ast.get_source_segment(self.text, node) or self.text
        return ExpressionSyntaxError(f"cannot read {_shorten(piece)!r} at column {node.col_offset + 1}: {why}")

    def named(self, node: ast.expr, name: str) -> Any:
        """What a name stands for."""
        if name in self.names:
            return self.names[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if _readable(ALIASES.get(name, name)):
            raise self.error(node, f"{name} is a function; give it its arguments, as in {name}(x)")
        known = ", ".join(self.names) or "none"
        raise self.error(node, f"there is no variable of that name; known are {known}")

    def place(self, node: ast.expr, place: ast.expr) -> tuple[int, ...]:
        """The whole numbers between brackets."""
        found = []
        for part in place.elts if isinstance(place, ast.Tuple) else [place]:
            match part:
                case ast.Constant(value=int() as number) if type(number) is int:
                    found.append(number)
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)) if type(number) is int:
                    found.append(-number)
                case _:
                    raise self.error(node, "only whole numbers stand between brackets, as in A[0, 1]")
        return tuple(found)

    def element(self, node: ast.expr, name: str, at: tuple[int, ...]) -> Any:
        """One element of an array."""
        array = self.lift(self.names[name])
        if len(at) != self.B.ndim(array):
            raise self.error(node, f"{name} has {self.B.ndim(array)} axes, and {len(at)} places are given")
        try:
            return self.B.getitem(array, at)
        except IndexError as error:
            raise self.error(node, str(error)) from error

    def function(self, node: ast.expr, name: str) -> str:
        """The registry's name of a function."""
        if _readable(ALIASES.get(name, name)):
            return ALIASES.get(name, name)
        names = function_names()
        near = difflib.get_close_matches(name, names, n=4, cutoff=0.5)
        if name in self.names:
            raise self.error(node, f"{name} is a variable and cannot be called; write * for a product")
        hint = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(names)}"
        raise self.error(node, f"there is no function named {name!r}; {hint}")

    def lift(self, value: Any) -> Any:
        """A value of the namespace; integers that a double does not hold exactly become the nearest double."""
        return self.B.lift(self.to_float(value) if type(value) is int and abs(value) > 2**53 else value)

    @staticmethod
    def to_float(value: int) -> float:
        """The nearest double, infinity as for a literal such as 1e999."""
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf

    def negative(self) -> None:
        """Negate the last value."""
        value = self.values.pop()
        self.values.append(-value if type(value) in (int, float) else self.B.negative(self.lift(value)))

    def binary(self, name: str) -> None:
        """Join the last two values; whole numbers are reckoned with exactly: 2**70 and 2**-1 mean what they say."""
        right, left = self.values.pop(), self.values.pop()
        if type(left) is int and type(right) is int:
            exact = _exact(name, left, right)
            if exact is not None:
                self.values.append(exact)
                return
            if name == "power" and (whole := _exact("power", left, -right)) is not None:
                name, left, right = "divide", 1, whole
            elif name != "divide":
                left, right = self.to_float(left), self.to_float(right)
        self.values.append(getattr(self.B, name)(self.lift(left), self.lift(right)))

    def call(self, name: str, count: int, node: ast.expr | None = None) -> None:
        """Apply a function to the last values."""
        arguments = [self.lift(value) for value in self.values[len(self.values) - count :]]
        del self.values[len(self.values) - count :]
        function = getattr(self.B, name)
        if name in _FOLDING and count > 2:
            value = arguments[0]
            for other in arguments[1:]:
                value = function(value, other)
        else:
            try:
                value = function(*arguments)
            except (TypeError, ValueError) as error:
                if node is None:
                    raise
                raise self.error(node, str(error)) from error
        self.values.append(value)


def _exact(name: str, left: int, right: int) -> int | None:
    """The result of an operation on whole numbers where it is a whole number of moderate size, else None."""
    match name:
        case "add":
            return left + right
        case "subtract":
            return left - right
        case "multiply" if left.bit_length() + right.bit_length() <= _MAX_BITS:
            return left * right
        case "divide" if right != 0 and left % right == 0:
            return left // right
        case "floor_divide" if right != 0:
            return left // right
        case "remainder" if right != 0:
            return left % right
        case "power" if right >= 0 and left.bit_length() * right <= _MAX_BITS:
            return int(left**right)
    return None
