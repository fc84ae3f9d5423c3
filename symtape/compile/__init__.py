"""The compiler: from a graph to numbers. It knows nodes only, neither tapes nor formulas."""
