"""Logistic regression from its definition: the loss is written down, and everything else follows.

Run it: python examples/logistic_regression.py [picture.png]. The result is held against Newton's method in plain NumPy
with the textbook's gradient and Hessian, and the standard errors against the inverse of the Fisher information.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import symtape as st

rng = np.random.default_rng(7)
features = np.column_stack([np.ones(200), rng.standard_normal((200, 2))])
truth = np.array([-0.5, 2.0, -1.0])
labels = (rng.random(200) < 1 / (1 + np.exp(-features @ truth))).astype(float)

# --- the loss: negative log-likelihood -------------------------------------------------------------------------------

X = st.constant(features, name="X")
t = st.constant(labels, name="t")
w = st.Variable(np.zeros(3), name="w")
scores = X @ w
loss = np.sum(np.logaddexp(0, scores) - t * scores)  # log(1 + exp(s)) - t s: no overflow, whatever the score

result = st.minimize(loss, w)
print(result.certificate)
assert result.success

# --- by the textbook -------------------------------------------------------------------------------------------------

reference = np.zeros(3)
for _ in range(20):
    probability = 1 / (1 + np.exp(-features @ reference))
    gradient = features.T @ (probability - labels)
    information = features.T @ (features * (probability * (1 - probability))[:, None])
    reference = reference - np.linalg.solve(information, gradient)

assert np.allclose(result.params["w"], reference, rtol=1e-7)
result.assign()

with st.GradientTape() as tape:
    loss = np.sum(np.logaddexp(0, X @ w) - t * (X @ w))
hessian = tape.hessian(loss, w).numpy()
assert np.allclose(hessian, information, rtol=1e-6)
stderr = np.sqrt(np.diag(np.linalg.inv(hessian)))
for name, estimate, error, true in zip(["bias", "w1", "w2"], w.numpy(), stderr, truth, strict=True):
    print(f"{name:5} {estimate:8.4f} +- {error:.4f}   (data made with {true})")
    assert abs(estimate - true) < 4 * error

# --- the compiled classifier, over a grid ----------------------------------------------------------------------------

point = st.symbol("point", shape=(3,))
probability = st.function([point], 1 / (1 + np.exp(-(point @ st.constant(w.numpy())))))
axis = np.linspace(-3.5, 3.5, 200)
grid = np.stack(np.broadcast_arrays(1.0, *np.meshgrid(axis, axis)), axis=-1)
surface = probability.batch(grid)
assert surface.shape == (200, 200)
accuracy = np.mean((probability.batch(features) > 0.5) == (labels > 0.5))
print(f"accuracy on the data: {accuracy:.3f}")
assert accuracy >= 0.8

figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
shade = axes.contourf(axis, axis, surface, levels=np.linspace(0, 1, 11), cmap="RdBu", alpha=0.6)
axes.contour(axis, axis, surface, levels=[0.5], colors="black")
for label, marker in ((0, "o"), (1, "^")):
    axes.plot(
        *features[labels == label, 1:].T, marker, markersize=4, color="black", fillstyle="none", label=f"class {label}"
    )
axes.set(xlabel="feature 1", ylabel="feature 2", title="Logistic regression: probability of class 1")
axes.legend()
figure.colorbar(shade)
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1], dpi=120)
plt.close(figure)
