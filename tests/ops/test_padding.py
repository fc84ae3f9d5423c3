"""What `np.pad` and its kin do with numbers that are none."""

import numpy as np
import pytest

from tests.ops.against_numpy import agree

AT_EDGES = np.array([[1.0, 2.0, np.inf, 3.0], [-np.inf, 5.0, np.nan, 7.0]])


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
@pytest.mark.parametrize("kind", ["even", "odd"])
@pytest.mark.parametrize("width", [(2, 3), ((0, 5), (9, 0)), 8])
def test_infinities_stay_where_they_are(mode, kind, width):
    agree("pad", AT_EDGES, width, mode=mode, reflect_type=kind)
    agree("pad", np.arange(6).reshape(2, 3), width, mode=mode, reflect_type=kind)
