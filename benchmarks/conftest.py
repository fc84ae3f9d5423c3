"""What the benchmarks share: a table at the end, the figure of each case beside its limit where one is stated."""

import gc
import os

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Each benchmark starts with an empty cache of compiled code."""
    monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def own_heap():
    """Keep the collector from walking what pytest holds: a user's process has none of it."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def report(benchmark):
    """Note what one unit of the work cost: ``report(seconds_per_unit, "us an op", limit)``."""

    def note(figure: float, unit: str, limit: float | None = None) -> None:
        benchmark.extra_info.update(figure=figure, unit=unit, limit=limit)

    return note


def pytest_terminal_summary(terminalreporter):
    """Print figure, unit and limit of each case that noted one."""
    session = getattr(terminalreporter.config, "_benchmarksession", None)
    cases = [case for case in getattr(session, "benchmarks", []) if "figure" in case.extra_info]
    if not cases:
        return
    terminalreporter.section(f"figures and limits ({os.cpu_count()} cores)")
    for case in cases:
        figure, unit, limit = (case.extra_info[key] for key in ("figure", "unit", "limit"))
        verdict = "" if limit is None else f"limit {limit:g}: {'met' if figure <= limit else 'MISSED'}"
        terminalreporter.write_line(f"{case.name:70} {figure:12.3f} {unit:16} {verdict}")
