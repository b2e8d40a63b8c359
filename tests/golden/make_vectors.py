"""Golden values of tests/vectors: scikit-learn 1.9's TfidfVectorizer and PCA.

    python tests/golden/make_vectors.py > tests/golden/vectors.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))
from texts import LEARNED, OTHERS

split = dict(tokenizer=str.split, token_pattern=None, lowercase=False)
counts = CountVectorizer(**split).fit(LEARNED)
weights = TfidfVectorizer(**split).fit(LEARNED)
points = np.random.default_rng(3).normal(size=(12, 5)) * [1, 5, 2, 0.5, 3]
pca = PCA(3).fit(points)
print(json.dumps({
    "scikit-learn": sklearn.__version__,
    "words": weights.get_feature_names_out().tolist(),
    "counts": counts.transform(OTHERS).toarray().tolist(),
    "idf": weights.idf_.tolist(),
    "learned": weights.transform(LEARNED).toarray().tolist(),
    "others": weights.transform(OTHERS).toarray().tolist(),
    "points": points.tolist(),
    "projected": pca.transform(points).tolist(),
    "directions": pca.components_.tolist(),
    "share": pca.explained_variance_ratio_.tolist(),
}))
