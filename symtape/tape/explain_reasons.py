"""The reasons why a gradient is None or NaN, each found by a function of its own.

They are tried in the order of `FINDERS`: what the tape noted by identity first (stopped recording, rewrites, operations
that pass no gradient), then what the graph below the target shows (computed outside of the block, another variable of
the same name), then what a line of code shows (``v = v + 1``).
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from typing import Any

from symtape.graph.node import LEAF
from symtape.graph.source import line_number
from symtape.graph.traverse import topological
from symtape.tape.derivatives import passes
from symtape.tape.explain_case import Case, Explanation, Place
from symtape.tape.explain_nan import nan_origin
from symtape.tape.tensor import Tensor
from symtape.tape.variable import Variable


def _name(tensor: Tensor) -> str:
    """How to call a tensor in a sentence."""
    name = tensor.node.params[1] if tensor.node.op is LEAF else None
    kind = "variable" if isinstance(tensor, Variable) else "tensor"
    return f"the {kind} {name!r}" if name else f"the {kind} {tensor.node!r}"


def _rebinds(place: Place) -> bool:
    """Whether the line has the form ``v = v + 1`` or ``v += 1``."""
    code, lasti = place
    if code is None:
        return False
    try:
        body = ast.parse(linecache.getline(code.co_filename, line_number(code, lasti)).strip()).body
    except SyntaxError:
        return False
    for statement in body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            return True
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            (target,) = statement.targets
            used = {n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)}
            if isinstance(target, ast.Name) and target.id in used:
                return True
    return False


def integers(case: Case) -> Explanation | None:
    """An end of the question is an integer."""
    for role, tensor in (("source", case.source), ("target", case.target)):
        if tensor.dtype.kind != "f":
            return case.found(
                "integer",
                case.made_at(tensor),
                f"The {role}, {_name(tensor)}, has dtype {tensor.dtype}: there are no gradients in or of integers.",
                "make it a float: st.Variable(3.0), or .astype(float) before it is used",
            )
    return None


def connected(case: Case) -> Explanation | None:
    """A gradient flows; it may be NaN."""
    if case.target.ident not in case.reached:
        return None
    origin = nan_origin(case.slice, case.target, case.source)
    if origin is not None:
        return case.found("NaN", (origin.record.code, origin.record.lasti), origin.text, origin.remedy)
    path: list[Any] = []
    ident = case.target.ident
    while ident != case.source.ident:
        record = case.tape.producer[ident]
        path.append(record)
        ident = next(x.ident for i, x in enumerate(record.inputs) if x.ident in case.reached and passes(record, i))
    steps = " -> ".join(r.op.name for r in reversed(path[-8:])) + (" -> ..." if len(path) > 8 else "")
    place = (path[-1].code, path[-1].lasti) if path else case.made_at(case.source)
    text = f"The gradient is not None: {_name(case.source)} flows into the target"
    return case.found("not None", place, f"{text} through {len(path)} operations: {steps}." if path else f"{text}.")


def rewritten(case: Case) -> Explanation | None:
    """An earlier gradient call went around the source."""
    done = case.tape.detour(case.slice, case.source.ident)
    if done is None:
        return None
    return case.found(
        "inside a rewritten stable form",
        (done.record.code, done.record.lasti),
        f"{_name(case.source).capitalize()} stands inside of {done.form.pattern}, which a gradient call replaced by a "
        f"stable form ({done.form.form}) that does not pass through it.",
        "name the inner tensor among the sources of that first call, or differentiate in what it was made from",
    )


def barrier(case: Case) -> Explanation | None:
    """An operation on the way that passes no gradient."""
    if case.target.ident not in case.dependent:
        return None
    for r in case.slice:
        for i, x in enumerate(r.inputs):
            if x.ident not in case.reached or not any(o.ident in case.dependent for o in r.outputs):
                continue
            place = (r.code, r.lasti)
            if r.op.name == "stop_gradient":
                return case.found(
                    "stop_gradient", place, "st.stop_gradient stands between source and target.", "leave it out"
                )
            if r.op.name == "astype" and all(o.node.dtype.kind != "f" for o in r.outputs):
                kind = r.outputs[0].node.dtype
                return case.found(
                    "integer", place, f"A conversion to {kind} stands between source and target.", "stay with floats"
                )
            if not passes(r, i) or all(o.node.dtype.kind != "f" for o in r.outputs):
                return case.found(
                    "op without gradient",
                    place,
                    f"The operation {r.op.name} stands between source and target and passes no gradient "
                    "(it is constant almost everywhere, or declared so).",
                    "use a smooth function instead, or np.where if a choice was meant",
                )
    return None


def stopped(case: Case) -> Explanation | None:
    """An operation ran inside of ``stop_recording``."""
    skipped = case.tape.skipped
    candidates = [case.target, case.source] + [x for r in case.slice for x in r.inputs]
    for tensor in candidates:
        entry = skipped.get(tensor.ident)
        if entry is not None and (tensor is case.source or case.between(topological([tensor.node]))):
            return case.found(
                "stop_recording",
                (entry.code, entry.lasti),
                f"The operation {entry.name} ran inside of tape.stop_recording(), so the tape does not have it.",
                "move it out of the stop_recording block",
            )
    return None


def same_name(case: Case) -> Explanation | None:
    """The target rests on another variable that is called the same."""
    if case.below or case.source.node.op is not LEAF or case.source.node.params[1] is None:
        return None
    name = case.source.node.params[1]
    for node in case.order:
        if node.op is LEAF and node.params[1] == name:
            return case.found(
                "another variable of the same name",
                (node.code, node.lasti),
                f"The target depends on another variable named {name!r}, not on the one that was given as the source.",
                "give the source that the target was computed from; distinct names help",
            )
    return None


def not_trainable(case: Case) -> Explanation | None:
    """A variable that tapes do not watch by themselves."""
    if case.tracked or not case.below or not isinstance(case.source, Variable) or case.source.trainable:
        return None
    return case.found(
        "trainable=False",
        case.made_at(case.source),
        f"{_name(case.source).capitalize()} was made with trainable=False, so the tape does not watch it by itself.",
        "call tape.watch(variable) inside the block before it is used, or make it trainable",
    )


def rebound(case: Case) -> Explanation | None:
    """``v = v + 1`` made a new tensor; the variable is no longer behind the name."""
    source = case.source
    if source.node.op is LEAF or isinstance(source, Variable) or (case.tracked and case.below):
        return None
    place = case.made_at(source)
    if not _rebinds(place):
        return None
    return case.found(
        "rebound",
        place,
        "The source is no variable: this line computed a new tensor and bound the name to it.",
        "write v.assign_add(1) to change a variable, or keep the old name for the source",
    )


def taken_outside(case: Case) -> Explanation | None:
    """The target rests on a derivative that this tape did not see."""
    if not case.below:
        return None
    node = case.unrecorded
    target = case.target
    own = getattr(target, "code", None) is not None and target.ident not in case.tape.producer
    place: Place
    if own and (node is None or node is target.node or _calls_gradient((target.code, target.lasti))):
        place = (target.code, target.lasti)
    elif node is not None:
        place = (node.code, node.lasti)
    else:
        return None
    if not _calls_gradient(place):
        return None
    return case.found(
        "inner gradient taken outside",
        place,
        "The target rests on a derivative that was taken while this tape did not record, so the tape does not have it.",
        "call the inner tape.gradient inside of the outer tape's block",
    )


def _calls_gradient(place: Place) -> bool:
    code, lasti = place
    if code is None:
        return False
    text = linecache.getline(code.co_filename, line_number(code, lasti))
    return any(f"{name}(" in text for name in ("gradient", "jacobian", "hessian", "grad"))


def unwatched(case: Case) -> Explanation | None:
    """The target rests on the source, and the tape does not watch it."""
    source = case.source
    if not case.below:
        return None
    if case.tracked:
        return watched_late(case)
    if isinstance(source, Variable):
        if case.tape.watch_accessed_variables:
            return None
        text = f"The tape was made with watch_accessed_variables=False, so it does not watch {_name(source)} by itself."
    elif source.node.op is LEAF:
        text = f"{_name(source).capitalize()} is no variable, so the tape does not watch it by itself."
    elif case.tape.recorded_during(source.ident):
        text = "The source was computed inside the block from what the tape does not watch."
    else:
        return None
    return case.found(
        "not watched", case.made_at(source), text, "call tape.watch(source) inside the block before it is used"
    )


def watched_late(case: Case) -> Explanation | None:
    """Used before ``tape.watch`` in the same code."""
    watch = case.tape.watched_at.get(case.source.ident)
    node = case.unrecorded
    if watch is None or node is None or node.code is not watch[0] or node.lasti >= watch[1]:
        return None
    line = line_number(*watch)
    return case.found(
        "not watched",
        (node.code, node.lasti),
        f"{_name(case.source).capitalize()} was used here before tape.watch was called in line {line}.",
        "call tape.watch before the first use",
    )


def outside(case: Case) -> Explanation | None:
    """Something between source and target was computed while the tape did not record."""
    if not case.below:
        return None
    target, node = case.target, case.unrecorded
    text = "This was computed while the tape did not record, so the tape does not have it."
    if not case.tracked and case.source.node.op is not LEAF:
        place = case.made_at(case.source)
        text = "The source was computed outside of the block and is not watched."
    elif target.ident not in case.tape.producer and not case.tape.recorded_during(target.ident):
        place = case.made_at(target)
    elif node is not None:
        place = (node.code, node.lasti)
    else:
        place = case.made_at(target)
    return case.found(
        "outside the block", place, text, "compute it inside of `with tape:`, or watch it there with tape.watch"
    )


def cut(case: Case) -> Explanation | None:
    """A number was taken out on the way."""
    if case.below:
        return None
    cuts = [c for c in case.tape.cuts if c.ident in case.dependent and not c.display]
    if not cuts:
        return None
    # Those that nobody asked for by name are likelier to be the culprit; of equals the last is nearest to the target.
    last = max(enumerate(cuts), key=lambda pair: (not pair[1].silent, pair[0]))[1]
    return case.found(
        "cut",
        (last.code, last.lasti),
        f"The call {last.call} took a plain number out of a tensor that depends on the source; what is computed from "
        "that number carries no gradient.",
        "keep it a tensor: NumPy functions instead of math and float(), np.stack or .at[].set instead of assignment",
    )


def does_not_depend(case: Case) -> Explanation:
    """What is left."""
    target = case.target
    record = case.tape.producer.get(target.ident)
    place = case.made_at(target) if record is None else (record.code, record.lasti)
    text = f"The target does not depend on {_name(case.source)}."
    if any(c.display and c.ident in case.dependent for c in case.tape.cuts):
        text += " (What depends on it was only printed.)"
    return case.found("does not depend", place, text, "check that this is what was meant")


#: In the order in which they are tried.
FINDERS: tuple[Callable[[Case], Explanation | None], ...] = (
    integers,
    rewritten,
    connected,
    barrier,
    stopped,
    same_name,
    not_trainable,
    rebound,
    taken_outside,
    unwatched,
    outside,
    cut,
)
