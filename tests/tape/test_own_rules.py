"""Rules of one's own in JAX's manner: values, gradients, forward mode, second order, compiled, and what is refused."""

import numpy as np
import pytest

import symtape as st


def clipped():
    @st.custom_vjp
    def clipped(x, scale):
        """Square, with a bounded gradient."""
        return scale * x**2

    clipped.defvjp(
        lambda x, scale: (scale * x**2, (x, scale)), lambda res, g: (np.clip(2 * res[1] * res[0] * g, -1, 1), None)
    )
    return clipped


def softplus():
    @st.custom_jvp
    def softplus(x):
        return np.log(1 + np.exp(x))

    @softplus.defjvp
    def _(primals, tangents):
        (x,), (t,) = primals, tangents
        return softplus(x), t * (1 - 1 / (1 + np.exp(x)))

    return softplus


def test_a_vjp_rule_decides():
    f = clipped()
    assert f.__name__ == "clipped"
    assert f.__doc__ == "Square, with a bounded gradient."
    assert (f(3.0, 2.0).numpy(), f(3.0, scale=2.0).numpy()) == (18.0, 18.0)
    assert st.grad(f)(3.0, 2.0) == 1.0
    assert st.grad(f)(0.1, 2.0) == pytest.approx(0.4)
    assert st.grad(f, argnums=1)(3.0, 2.0) == 0.0
    x = st.Variable([0.1, 3.0])
    with st.GradientTape() as tape:
        y = np.sum(f(x, 2.0))
    g = tape.gradient(y, x)
    np.testing.assert_allclose(g.numpy(), [0.4, 1.0])
    np.testing.assert_allclose(st.function([x], g)([0.1, -3.0]), [0.4, -1.0])


def test_structures_of_arguments_and_results():
    @st.custom_vjp
    def both(pair):
        return {"sum": pair[0] + pair[1], "product": pair[0] * pair[1]}

    def fwd(pair):
        return both(pair), pair

    def bwd(pair, g):
        return ((g["sum"] + 10 * g["product"] * pair[1], g["sum"] + 10 * g["product"] * pair[0]),)

    both.defvjp(fwd, bwd)

    def total(a, b):
        found = both((a, b))
        return found["sum"] + 2 * found["product"]

    assert st.grad(total, argnums=(0, 1))(3.0, 5.0) == (101.0, 61.0)


def test_arguments_that_the_rule_takes_as_they_are():
    @st.custom_vjp
    def unused(x):
        return x

    assert unused.nondiff_argnums == ()
    f = st.custom_vjp(lambda apply, x: apply(x), nondiff_argnums=(0,))
    f.defvjp(lambda apply, x: (apply(x), x), lambda apply, x, g: (7 * g * apply(x),))
    assert st.grad(lambda x: f(np.sin, x))(0.5) == pytest.approx(7 * np.sin(0.5))
    h = st.custom_jvp(lambda n, x: x**n, nondiff_argnums=(0,))
    h.defjvp(lambda n, primals, tangents: (h(n, *primals), 5.0 * n * tangents[0]))
    assert st.grad(lambda x: h(3, x))(2.0) == 15.0


def test_a_jvp_rule_serves_both_modes_and_higher_order():
    f = softplus()
    s = 1 / (1 + np.exp(-0.3))
    value, moved = st.jvp(f, (0.3,), (2.0,))
    assert value == pytest.approx(np.log1p(np.exp(0.3)))
    assert moved == pytest.approx(2 * s)
    assert st.grad(f)(0.3) == pytest.approx(s)
    assert st.grad(st.grad(f))(0.3) == pytest.approx(s * (1 - s))
    x = st.Variable([0.3, -1.0])
    with st.GradientTape() as tape:
        y = np.sum(x * f(x))
    expected = np.log1p(np.exp([0.3, -1.0])) + np.array([0.3, -1.0]) / (1 + np.exp([-0.3, 1.0]))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-14)


def test_a_rule_for_each_argument():
    @st.custom_jvp
    def f(x, y):
        return x * y

    f.defjvps(lambda t, out, x, y: 3 * t * y, None)
    assert st.grad(f, argnums=(0, 1))(2.0, 5.0) == (15.0, 0.0)
    f.defjvps(lambda t, out, x, y: 3 * t * y, lambda t, out, x, y: t * out)
    assert st.grad(f, argnums=(0, 1))(2.0, 5.0) == (15.0, 10.0)


def test_what_is_refused():
    with pytest.raises(TypeError, match=r"st\.custom_vjp decorates a function, got 3"):
        st.custom_vjp(3)
    plain = st.custom_vjp(lambda x: x)
    with pytest.raises(AttributeError, match="no VJP is defined"):
        plain(1.0)
    with pytest.raises(AttributeError, match="no JVP is defined"):
        st.custom_jvp(lambda x: x)(1.0)
    plain.defvjp(lambda x: x, lambda res, g: (g,))
    with pytest.raises(TypeError, match=r"must return \(result, residuals\)"):
        plain(1.0)
    plain.defvjp(lambda x: (x, None), lambda res, g: g)
    with pytest.raises(TypeError, match="must return a tuple of 1 gradients"):
        plain(1.0)
    other = st.custom_jvp(lambda x: x)
    other.defjvp(lambda p, t: p[0])
    with pytest.raises(TypeError, match=r"must return \(result, tangent\)"):
        other(1.0)
    with pytest.raises(TypeError, match="give one rule with defjvp"):
        st.custom_jvp(lambda n, x: x, nondiff_argnums=(0,)).defjvps(None)
