import json

import nbformat
import pytest

from symtape.errors import NotebookError
from symtape.notebook import to_ipynb

TEXT = """---
kernelspec:
  name: python3
---
# Title

Some *prose* with $x^2$.

```{code-cell} python
a = 1

a + 1
```

```python
not a cell
```

```{code-cell} ipython3
:tags: [raises-exception, other]
1 / 0
```
The end.
"""


def test_prose_and_code_become_cells():
    book = json.loads(to_ipynb(TEXT))
    nbformat.validate(nbformat.from_dict(book))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in book["cells"]] == [
        ("markdown", "# Title\n\nSome *prose* with $x^2$."),
        ("code", "a = 1\n\na + 1"),
        ("markdown", "```python\nnot a cell\n```"),
        ("code", "1 / 0"),
        ("markdown", "The end."),
    ]
    assert book["cells"][3]["metadata"] == {"tags": ["raises-exception", "other"]}
    assert to_ipynb(TEXT) == to_ipynb(TEXT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Only prose\n", "nothing to run"),
        ("```{code-cell} python\n1\n", "not closed"),
        ("```{code-cell} python\n1\n```\n```{code-cell} python\n2\n", "not closed"),
    ],
)
def test_a_text_without_proper_cells_is_an_error(text, message):
    with pytest.raises(NotebookError, match=message):
        to_ipynb(text)
