"""Derivatives of graphs: slice, sweep, and what is built from sweeps. It knows nodes and records, not people."""
