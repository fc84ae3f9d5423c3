"""The smallest recipe that still fails, of one that failed."""

from collections.abc import Callable

from tests.random_graphs.recipes import Recipe


def shrunk(recipe: Recipe, failure: Callable[[Recipe], str | None]) -> tuple[Recipe, str]:
    """A part of the recipe that fails, with as many inputs as possible made leaves, and what is said of it."""
    why = failure(recipe) or "it does not fail again"
    for k in recipe.outputs:
        part = recipe.only([k])
        found = failure(part)
        if found:
            recipe, why = part, found
            break
    while True:
        for smaller in _smaller(recipe):
            found = failure(smaller)
            if found:
                recipe, why = smaller, found
                break
        else:
            return recipe, why


def _smaller(recipe: Recipe):
    for s, step in enumerate(recipe.steps):
        for k, feed in enumerate(step.feeds):
            if feed.source >= len(recipe.leaves):
                yield recipe.detached(s, k)
