import numpy as np
import pytest

from symtape.shipped import reference, text


def test_the_data_set_is_nists_word_by_word():
    data = reference(text("Misra1a.dat"))
    assert data.name == "Misra1a"
    assert len(data.x) == len(data.y) == 14
    assert (data.x[0], data.y[0], data.x[-1], data.y[-1]) == (77.6, 10.07, 760.0, 81.78)
    assert data.starts == ({"b1": 500.0, "b2": 0.0001}, {"b1": 250.0, "b2": 0.0005})
    assert data.certified == {"b1": 2.3894212918e02, "b2": 5.5015643181e-04}
    assert data.stderr == {"b1": 2.7070075241e00, "b2": 7.2668688436e-06}
    residuals = data.y - data.certified["b1"] * (1 - np.exp(-data.certified["b2"] * data.x))
    assert residuals @ residuals == pytest.approx(data.residual_sum_of_squares, rel=1e-9)


def test_another_text_is_refused():
    with pytest.raises(ValueError, match="not a file of NIST"):
        reference("x y\n1 2\n")


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        text("../pyproject.toml")
