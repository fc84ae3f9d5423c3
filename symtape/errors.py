"""Every exception and warning that symtape raises of its own.

Each is a subclass of the built-in kind that a caller would expect, so that ``except ValueError`` keeps working. The
module imports nothing of the package: it takes text and plain values, and every floor above may use it.
"""

from __future__ import annotations

import numpy as np


class SymtapeError(Exception):
    """Base of all exceptions of symtape, beside the built-in kind that each one also is."""


class ShapeError(SymtapeError, ValueError):
    """Shapes that do not fit together."""


class MatrixShapeError(ShapeError, np.linalg.LinAlgError):
    """A matrix that is not square, or an array that is no matrix, where NumPy raises its ``LinAlgError``."""


class DTypeError(SymtapeError, TypeError):
    """A dtype that an operation does not take."""


class UnboundDimensionError(SymtapeError, ValueError):
    """A number was asked for while a named axis length has none yet."""


class MissingValueError(SymtapeError, TypeError):
    """A number was asked for from an expression that contains a symbol without value."""


class NotDifferentiableError(SymtapeError, TypeError):
    """A derivative was asked for that does not exist for this operation or dtype."""


class DerivativeMismatchError(SymtapeError, AssertionError):
    """Derivatives that were checked against differences are wrong; the message says which and by how much."""


class DeclarationError(SymtapeError, ValueError):
    """An operation is declared in a way that does not tell what is needed, such as a derivative."""


class UnknownNameError(SymtapeError, ValueError):
    """A name (of an operation, a form, an option) that is not known; the message lists what is."""


class SingularMatrixError(SymtapeError, np.linalg.LinAlgError):
    """A matrix that has to be inverted or factorized is singular or not positive definite."""


class ComplexSpectrumError(SymtapeError, ValueError):
    """A function of a matrix that would be complex: tensors are real."""


class SymbolicTruthError(SymtapeError, TypeError):
    """The truth value of an expression without a number was asked for."""


class ConcreteValueError(SymtapeError, TypeError):
    """A value was taken out of a tensor while a callable is recorded for reuse."""


class ImpureFunctionError(SymtapeError, ValueError):
    """A callable that is recorded for reuse depends on more than its arguments, or changes something outside of it.

    It gave two different graphs under the same guards (random numbers, the clock), fills a tensor that was made
    outside, or assigns to a variable.
    """


class AssumptionViolated(SymtapeError, ValueError):  # noqa: N818 (the design names it so)
    """A compiled function met inputs for which a branch taken while recording does not hold."""


class AmbiguousVariableError(SymtapeError, ValueError):
    """An expression contains several versions of one variable where only one can be meant."""


class MissingInputError(SymtapeError, ValueError):
    """The outputs of a function need a variable or symbol that is not among its inputs."""


class CompilationError(SymtapeError, RuntimeError):
    """A graph could not be compiled, or compiled code could not be loaded."""


class FormulaTooLargeError(SymtapeError, ValueError):
    """A formula has more operations than sympy can carry."""


class ExpressionSyntaxError(SymtapeError, ValueError):
    """A text cannot be read as an expression; the message shows the piece, its column and what is meant."""


class NotebookError(SymtapeError, ValueError):
    """A text cannot be turned into a notebook."""


class NoFormulaError(SymtapeError, TypeError):
    """An operation has no formula by elements, or a form does not exist; the message names the forms that do."""


class GradientCutWarning(UserWarning):
    """A tensor left the tape as a plain number, so no gradient flows through what follows."""


class ObjectArrayWarning(UserWarning):
    """A function took a tensor apart into an object array and works on its elements one by one: right, but slow."""


class NoGradientWarning(UserWarning):
    """A gradient was asked for that cannot exist (of an integer, or in one), so it is None."""


class DegenerateMatrixWarning(UserWarning):
    """A derivative does not exist at this matrix (equal eigenvalues, dependent columns); the message names the pair."""


class SlowCallbackWarning(UserWarning):
    """Compiled code calls back into a Python function that has no compiled form."""


class DifferencesWarning(UserWarning):
    """Differences of an exact gradient stand in for second derivatives that a black box does not have."""


class CacheWarning(UserWarning):
    """The folder of compiled code cannot be trusted and is not used."""


class MethodCapabilityError(SymtapeError, ValueError):
    """A minimization method was asked for a problem that it does not take (bounds, constraints, equations)."""


class DataFormError(SymtapeError, ValueError):
    """Bytes that are no graph in symtape's data form: truncated, altered, of another format, or inconsistent."""


class NonFiniteError(SymtapeError, ValueError):
    """NaN or infinity at a door that takes finite numbers only: a start, data of a fit, the objective at the start."""


class UnusedVariableError(SymtapeError, ValueError):
    """A variable is listed to be solved for that neither objective nor constraints contain."""


class WrongDerivativeError(SymtapeError, ValueError):
    """A derivative that the caller supplied disagrees with the exact one."""


class ConstraintError(SymtapeError, ValueError):
    """A constraint that is none: a strict or unequal comparison, a chained one, an expression that is no comparison."""


class FitNotConvergedError(SymtapeError, RuntimeError):
    """A fit did not reach a minimum; the attribute ``fit`` is what was reached."""

    fit: object = None
