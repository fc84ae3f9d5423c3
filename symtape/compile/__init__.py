"""From graphs of nodes to numbers: by NumPy (`evaluate`) or as machine code (`program`)."""
