"""From a node to a form that people read: sympy expressions of elements, named steps, text and LaTeX."""
