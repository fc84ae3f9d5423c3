"""Many random graphs: ``python -m tests.random_graphs.long_run --graphs 10000 --seed 1``.

Ops are dealt from a shuffled deck, so that all come equally often. A graph that fails is made small and printed; its
number makes it again (``--first N --graphs 1``).
"""

import argparse
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from symtape.compile.options import Options
from symtape.graph.traverse import topological
from tests.random_graphs.cases import Case
from tests.random_graphs.checks import compiled, examine
from tests.random_graphs.drawing import draw_graph, rows_by_op, scalar_rows
from tests.random_graphs.formulas import against_sympy
from tests.random_graphs.recipes import Recipe
from tests.random_graphs.shrinking import shrunk

HAND = 8  # ops in a graph
TOGETHER = 20  # graphs in a compiled program


def hand(ops: Sequence[str], seed: int, number: int, size: int) -> list[str]:
    """The ops of a graph: the deck is shuffled anew for each round."""
    first = number * size
    found: list[str] = []
    while len(found) < size:
        round_, place = divmod(first + len(found), len(ops))
        deck = list(ops)
        random.Random(f"{seed} {round_}").shuffle(deck)
        found += deck[place : place + size - len(found)]
    return found


def drawn(seed: int, number: int) -> Recipe:
    """Graph ``number`` of the run with that seed."""
    choices = random.Random(f"{seed} graph {number}")
    dtype = choices.choice(["float64", "float64", "float32"])
    return draw_graph(choices.randrange, hand(sorted(rows_by_op()), seed, number, HAND), number, dtype)


def drawn_scalars(seed: int, number: int) -> Recipe:
    """A graph of numbers for sympy."""
    choices = random.Random(f"{seed} scalars {number}")
    ops = hand(sorted(scalar_rows()), seed, number, 4)
    return draw_graph(choices.randrange, ops, number, rows=scalar_rows(), shapes=((),))


def failure(check: Callable[[Recipe], Any]) -> Callable[[Recipe], str | None]:
    """What a check says of a recipe; None where it finds nothing."""

    def told(recipe: Recipe) -> str | None:
        try:
            check(recipe)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            return f"{type(error).__name__}: {error}"
        return None

    return told


def alone(unroll: int) -> Callable[[Recipe], None]:
    """Compile one graph by itself."""
    return lambda recipe: compiled([Case.of(recipe)], unroll)


class Run:
    """Counts and findings of a run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.ops: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.findings = 0
        self.graphs = 0

    def report(self, what: str, number: int, recipe: Recipe, check: Callable[[Recipe], Any]) -> None:
        """Print a finding, made small."""
        self.findings += 1
        small, why = shrunk(recipe, failure(check))
        print(f"--- {what} of graph {number} of seed {self.seed}\n{small}\n{why}\n", flush=True)

    def batch(self, numbers: Sequence[int]) -> None:
        """Examine some graphs, and compile them together."""
        cases = []
        for number in numbers:
            self.graphs += 1
            try:
                recipe = drawn(self.seed, number)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
                self.findings += 1
                print(f"--- graph {number} of seed {self.seed}: {type(error).__name__}: {error}", flush=True)
                continue
            try:
                case = examine(recipe)
            except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
                self.report("examination", number, recipe, examine)
                continue
            cases.append((number, case))
            self.counts += case.counts
            self.ops.update({n.op.name for n in topological(case.outputs)})
            if number % 5 == 0:
                scalars = drawn_scalars(self.seed, number)
                try:
                    self.counts += against_sympy(scalars).counts
                except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
                    self.report("formula", number, scalars, against_sympy)
        unroll = (Options().unroll, 0)[numbers[0] // TOGETHER % 2]
        try:
            compiled([case for _, case in cases], unroll)
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            found = self.findings
            for number, case in cases:
                if failure(alone(unroll))(case.recipe) is not None:
                    self.report(f"compilation with unroll={unroll}", number, case.recipe, alone(unroll))
            if self.findings == found:
                self.findings += 1
                print(f"--- compilation of {numbers} of seed {self.seed} together, unroll={unroll}", flush=True)


def chunks(first: int, count: int) -> Iterator[range]:
    """The numbers of graphs, in parts."""
    for start in range(first, first + count, TOGETHER):
        yield range(start, min(start + TOGETHER, first + count))


def main() -> int:
    """Run and report; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first graph")
    parser.add_argument("--minutes", type=float, default=240, help="when to stop")
    options = parser.parse_args()
    warnings.simplefilter("error")
    run, start = Run(options.seed), time.monotonic()
    for numbers in chunks(options.first, options.graphs):
        run.batch(numbers)
        took = time.monotonic() - start
        if run.graphs % 200 == 0:
            print(f"{run.graphs} graphs, {run.findings} findings, {took:.0f} s", flush=True)
        if took > 60 * options.minutes:
            break
    least = min(run.ops.values(), default=0)
    rare = sorted(name for name, n in run.ops.items() if n == least)
    print(
        f"{run.graphs} graphs in {took:.0f} s, {run.findings} findings; {len(run.ops)} ops, "
        f"each in at least {least} graphs ({', '.join(rare[:5])})\n{dict(run.counts)}"
    )
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
