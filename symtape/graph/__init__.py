"""The graph: immutable, hash-consed nodes and the loops that walk them. It knows what an op is, not which ops exist."""
