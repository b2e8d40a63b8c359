"""The handwritten digits of minillm/data/tasks/images, packed from scikit-learn 1.9's copy.

    python tests/golden/make_digits.py minillm/data/tasks/images/digits.npz
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

copy = load_digits()
np.savez_compressed(
    sys.argv[1], images=copy.images.astype(np.uint8), labels=copy.target.astype(np.uint8)
)
