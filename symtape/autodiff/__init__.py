"""Derivatives of graphs: slice, sweep, and what is built from sweeps. It knows nodes and records, not people."""

import symtape.autodiff.bodies  # noqa: F401  (registers what rules of ops with bodies ask the namespace for)
