"""The arrays of tests/golden/make_sequences.py, in PyTorch's layout: matrices (outputs, inputs)."""

import numpy as np

B, T, C, H, F = 2, 7, 3, 4, 5
CONVOLUTIONS = ((1, 1), (3, 1), (2, 3), (3, 4))  # kernel, dilation; the last reaches beyond T

_rng = np.random.default_rng(11)
x, dy = _rng.normal(size=(B, T, C)), _rng.normal(size=(B, T, H))
weights = {  # by the number of gates
    gates: [_rng.normal(0, 0.7, shape) for shape in
            ((gates * H, C), (gates * H, H), (gates * H,), (gates * H,))]
    for gates in (1, 4)
}
kernels = [_rng.normal(size=(F, C, K)) for K, _ in CONVOLUTIONS]
bias, dconv = _rng.normal(size=F), _rng.normal(size=(B, T, F))
