"""Derivatives of opaque operations by the rules that their author gave.

A vjp takes cotangents of the results, a jvp tangents of the inputs: the *slots*, in which it is linear. Behind them it
takes the results and the inputs. A rule is opaque itself, an op that calls back; or it is recorded, a closed graph that
has derivatives of its own. The rule that is missing is the transpose of the other: of a graph by its vjp, of an opaque
rule by calling it on unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from symtape.errors import NotDifferentiableError
from symtape.graph.closed import Graph, trace
from symtape.graph.node import Node, placeholder
from symtape.graph.shapes import Shape
from symtape.ops.namespace import NODES
from symtape.ops.op import Op
from symtape.ops.opaque_params import NUMBER, Arguments, Levels, Results, core, input_places, lengths, moving

Spec = tuple[Shape, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A vjp or a jvp.

    Attributes
    ----------
    function : callable
        As its author wrote it: ``vjp(g, y, *args)`` gives a gradient for each argument, ``jvp(tangents, y, *args)`` a
        tangent for each result.
    record : callable or None
        ``record(slots, ys, xs, arguments)`` on nodes, for a rule that is recorded: one node for each input that can
        move, or for each result; ``xs`` has numbers where numbers stand.
    """

    function: Callable[..., Any]
    record: Callable[..., Sequence[Node]] | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a rule is applied: one call, or the calls of a batch.

    Attributes
    ----------
    arguments, results
        Params of the op.
    behind : tuple
        Values behind the slots: results, then inputs.
    flags : tuple of tuple of bool
        For each level, which of them have it.
    lead : tuple
        The length of each level.
    """

    arguments: Arguments
    results: Results
    behind: tuple[Any, ...]
    flags: Levels
    lead: Shape

    def cores(self, B: Any) -> list[Spec]:
        """Shape and dtype of what stands behind the slots, of one item."""
        return [(core(B.shape(x), [f[k] for f in self.flags]), B.dtype(x)) for k, x in enumerate(self.behind)]

    def slots(self, part: str, cores: Sequence[Spec]) -> list[Spec]:
        """Shape and dtype of each slot of a rule; a result that is no float has one of doubles."""
        ys, xs = cores[: len(self.results)], cores[len(self.results) :]
        if part == "vjp":
            return [(shape, d if d.kind == "f" else np.dtype(float)) for shape, d in ys]
        return [xs[k] for k in moving(self.arguments, [d for _, d in xs])]


def bare(values: Sequence[Any]) -> Any:
    """One value as it is, several as a tuple: how rules get what belongs to the results."""
    return values[0] if len(values) == 1 else tuple(values)


def directions(arguments: Arguments, xs: Sequence[Any], free: Sequence[int], tangents: Sequence[Any]) -> list[Any]:
    """The tangents as a jvp gets them, one for each place of the call: zero for a number, None for what is no float."""
    moved = dict(zip(free, tangents, strict=True))
    given = [
        moved.get(k, 0.0 if np.dtype(getattr(x, "dtype", type(x))).kind == "f" else None) for k, x in enumerate(xs)
    ]
    number = iter(given)
    return [next(number) if isinstance(place, str) else None for place in arguments[0]]


def entries(found: Any, count: int, needed: int, what: str, wanted: str) -> list[Any]:
    """What a rule returned, one entry for each of ``count``; those behind the first ``needed`` may be left out.

    Raises
    ------
    TypeError
        If there are more or fewer.
    """
    several = isinstance(found, tuple) or (isinstance(found, list) and count > 1)
    given = list(found) if several else [found]
    if not needed <= len(given) <= count:
        raise TypeError(f"{what} returned {len(given)}, wanted {wanted}: {found!r}")
    return given + [None] * (count - len(given))


def gradients(found: Any, arguments: Arguments, free: Sequence[int], label: str) -> list[Any]:
    """Of what a vjp returned, the gradients in the inputs that can move; None for one without."""
    places = [k for k, p in enumerate(arguments[0]) if isinstance(p, str)]
    count = len(arguments[0])
    needed = max((places[k] + 1 for k in free), default=0)
    wanted = f"a gradient, or None, for each of the {count} arguments"
    given = entries(found, count, needed, f"the vjp of {label}", wanted)
    return [given[places[k]] for k in free]


def other(part: str) -> str:
    """The rule that is the transpose."""
    return "jvp" if part == "vjp" else "vjp"


class Rules:
    """The rules of one routine.

    Parameters
    ----------
    label : str
        What people call the routine.
    vjp, jvp : Rule or None
    ops : mapping of str to Op
        The ops of the rules, by ``"vjp"`` and ``"jvp"``.
    """

    def __init__(self, label: str, vjp: Rule | None, jvp: Rule | None, ops: Mapping[str, Op]) -> None:
        self.label = label
        self.by_part: Mapping[str, Rule | None] = {"vjp": vjp, "jvp": jvp}
        self.ops = ops

    # ----------------------------------------------------------------------------- of the routine, and of its rules

    def pull(self, several: bool, B: Any, needed: Sequence[bool], g: Any, y: Any, *rest: Any) -> list[Any]:
        """The routine's vjp, for all inputs together."""
        *xs, arguments, results, levels = rest
        gs, ys = (g, y) if several else ((g,), (y,))
        site = self._site(B, arguments, results, ys, xs, levels)
        raw = self._linear(B, "vjp", gs, [(True,) * len(ys) for _ in levels], site)
        pulled: list[Any] = [None] * len(xs)
        for k, found in zip(moving(arguments, [B.dtype(x) for x in xs]), raw, strict=True):
            if needed[k]:
                pulled[k] = _over_shared(B, found, [own[k] for own in levels])
        return pulled

    def push(self, several: bool, B: Any, tangents: Sequence[Any], y: Any, *rest: Any) -> list[Any]:
        """The routine's jvp, for all tangents together."""
        *xs, arguments, results, levels = rest
        ys = y if several else (y,)
        site = self._site(B, arguments, results, ys, xs, levels)
        free = moving(arguments, [B.dtype(x) for x in xs])
        raw = self._linear(B, "jvp", [tangents[k] for k in free], [tuple(own[k] for k in free) for own in levels], site)
        return [t if B.dtype(u).kind == "f" else None for t, u in zip(raw, ys, strict=True)]

    def _site(self, B: Any, arguments: Arguments, results: Results, ys: Any, xs: Any, levels: Levels) -> Site:
        flags = tuple((*(True,) * len(ys), *own) for own in levels)
        return Site(arguments, results, (*ys, *xs), flags, lengths(levels, [B.shape(x) for x in xs]))

    def pull_rule(self, part: str, B: Any, needed: Sequence[bool], us: Any, outputs: Any, *rest: Any) -> list[Any]:
        """The vjp of a rule that is opaque: in its slots, the other rule."""
        site, slots, flags = self._site_of_rule(B, part, rest)
        n = len(slots)
        if any(needed[n:]):
            raise self._no_second(part)
        raw = self._linear(B, other(part), us, [(True,) * len(us) for _ in flags], site)
        found = [_over_shared(B, s, [own[k] for own in flags]) for k, s in enumerate(raw)]
        return [s if wanted else None for s, wanted in zip(found, needed, strict=False)] + [None] * len(site.behind)

    def push_rule(self, part: str, B: Any, tangents: Sequence[Any], outputs: Any, *rest: Any) -> Sequence[Any]:
        """The jvp of a rule that is opaque: in its slots, itself."""
        site, slots, flags = self._site_of_rule(B, part, rest)
        if any(t is not None for t in tangents[len(slots) :]):
            raise self._no_second(part)
        return self._linear(B, part, tangents[: len(slots)], flags, site)

    def _site_of_rule(self, B: Any, part: str, rest: Sequence[Any]) -> tuple[Site, Sequence[Any], list[Any]]:
        *inputs, arguments, results, levels = rest
        n = len(inputs) - len(results) - len(input_places(arguments))
        lead = lengths(levels, [B.shape(x) for x in inputs])
        site = Site(arguments, results, tuple(inputs[n:]), tuple(own[n:] for own in levels), lead)
        return site, inputs[:n], [own[:n] for own in levels]

    def _no_second(self, part: str) -> NotDifferentiableError:
        return NotDifferentiableError(
            f"a second derivative of {self.label} was asked for, but its {part} is a black box without a derivative: "
            f"write the {part} with functions that record (recorded_rules=True), or make it an st.black_box with a vjp "
            "of its own"
        )

    # ----------------------------------------------------------------------------------------------------- applying

    def _linear(
        self, B: Any, part: str, slots: Sequence[Any], flags: Sequence[tuple[bool, ...]], site: Site
    ) -> Sequence[Any]:
        """A rule applied to slots, None for zeros; ``flags`` say for each level which slots have it.

        The outputs have all levels in front.
        """
        own, across = self.by_part[part], self.by_part[other(part)]
        if own is None and across is None:
            raise NotDifferentiableError(
                f"a derivative of {self.label} was asked for, but it is a black box without one: "
                "@st.black_box(vjp=...), or st.stop_gradient around what goes in"
            )
        if own is None and across is not None and across.record is None:
            return self._by_units(B, part, slots, flags, site)
        specs = site.slots(part, site.cores(B))
        given = [
            B.zeros((*[n for n, own in zip(site.lead, flags, strict=True) if own[k]], *spec[0]), spec[1])
            if s is None
            else s
            for k, (s, spec) in enumerate(zip(slots, specs, strict=True))
        ]
        levels = tuple((*a, *b) for a, b in zip(flags, site.flags, strict=True))
        if own is not None and own.record is None:
            opaque: Sequence[Any] = B.build(
                self.ops[part], (*given, *site.behind), (site.arguments, site.results, levels)
            )
            return opaque
        graph = self._graph(B, part, site)
        for level, n in zip(reversed(levels), reversed(site.lead), strict=True):
            graph = B.batch_of(graph, level, n)
        recorded: Sequence[Any] = B.inline(graph, (*given, *site.behind))
        return recorded

    def _graph(self, B: Any, part: str, site: Site) -> Graph:
        """A recorded rule as a graph of slots, results and inputs: its own, or the other one's transpose."""
        own, across = self.by_part[part], self.by_part[other(part)]
        cores = site.cores(B)
        if own is not None:
            return self._recorded(B, own, site.slots(part, cores), cores, site)
        assert across is not None
        specs, turned_specs = site.slots(part, cores), site.slots(other(part), cores)
        graph = self._recorded(B, across, turned_specs, cores, site)
        turned, _ = B.vjp_of(graph, tuple(range(len(turned_specs))), tuple(range(len(graph.outputs))))

        def transposed(*nodes: Node) -> Sequence[Node]:
            zeros = [NODES.zeros(*spec) for spec in turned_specs]  # the rule is linear: nothing of them is left
            found: Sequence[Node] = NODES.inline(turned, (*zeros, *nodes[len(specs) :], *nodes[: len(specs)]))
            return found

        return trace(transposed, *_places((*specs, *cores)))

    def _recorded(self, B: Any, rule: Rule, specs: Sequence[Spec], cores: Sequence[Spec], site: Site) -> Graph:
        assert rule.record is not None
        record, count, n = rule.record, len(specs), len(site.results)
        numbers = [B.node(x).value for x in site.behind[n:]]
        places = input_places(site.arguments)

        def run(*nodes: Node) -> Sequence[Node]:
            ys, xs = nodes[count : count + n], nodes[count + n :]
            given = [v if p == NUMBER else x for v, p, x in zip(numbers, places, xs, strict=True)]
            return record(nodes[:count], ys, given, site.arguments)

        return trace(run, *_places((*specs, *cores)))

    def _by_units(
        self, B: Any, part: str, slots: Sequence[Any], flags: Sequence[tuple[bool, ...]], site: Site
    ) -> list[Any]:
        """A rule by the other, opaque one: called on unit vectors, whose images are added up."""
        cores = site.cores(B)
        specs = site.slots(other(part), cores)
        ranks = [len(shape) for shape, _ in site.slots(part, cores)]
        kept = [any(f) for f in site.flags]  # along other levels the slots alone vary
        outputs = []
        for k, (shape, dtype) in enumerate(specs):
            m = prod(int(n) for n in shape)
            units = B.const(np.eye(m, dtype=dtype).reshape(m, *shape))
            given = [units if j == k else B.zeros(*spec) for j, spec in enumerate(specs)]
            levels = (
                (*[j == k for j in range(len(specs))], *[False] * len(site.behind)),
                *[(*[False] * len(specs), *f) for f, keep in zip(site.flags, kept, strict=True) if keep],
            )
            images = B.build(self.ops[other(part)], (*given, *site.behind), (site.arguments, site.results, levels))
            terms = [
                _contracted(B, image, [True, *kept], s, [False, *[f[j] for f in flags]], rank)
                for j, (image, s, rank) in enumerate(zip(images, slots, ranks, strict=True))
                if s is not None
            ]
            total = B.broadcast_to(B.add_n(*terms) if len(terms) > 1 else terms[0], (m, *site.lead))
            outputs.append(B.reshape(B.moveaxis(total, 0, -1), (*site.lead, *shape)))
        return outputs


def _places(specs: Sequence[Spec]) -> list[Node]:
    return [placeholder(k, shape, dtype) for k, (shape, dtype) in enumerate(specs)]


def _over_shared(B: Any, raw: Any, flags: Sequence[bool]) -> Any:
    """A contribution added up over the levels along which its input is shared."""
    axes = tuple(k for k, own in enumerate(flags) if not own)
    return B.sum(raw, axis=axes) if axes else raw


def _contracted(B: Any, a: Any, has_a: Sequence[bool], b: Any, has_b: Sequence[bool], rank: int) -> Any:
    """The product of two values summed over their last ``rank`` axes; levels that one of them lacks are repeated."""
    product = B.multiply(_with_levels(B, a, has_a), _with_levels(B, b, has_b))
    n = len(has_a)
    return B.sum(product, axis=tuple(range(n, n + rank))) if rank else product


def _with_levels(B: Any, value: Any, has: Sequence[bool]) -> Any:
    shape = iter(B.shape(value))
    lead = [next(shape) if own else 1 for own in has]
    return B.reshape(value, (*lead, *shape))
