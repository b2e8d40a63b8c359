"""A call of every twin, for tests of all of them: CASES[name](which, dtype, layout, inplace)."""

import numpy as np
import pytest

from minillm import ops

B, H, T, S, D, V = 2, 3, 70, 131, 6, 37


def arrays(shape, count, dtype, layout, seed=0):
    """Random arrays; ``strided`` ones are every second element of a larger array."""
    rng = np.random.default_rng(seed)
    if layout == "contiguous":
        return [rng.normal(0, 2, shape).astype(dtype) for _ in range(count)]
    wide = (*shape[:-1], 2 * shape[-1])
    return [rng.normal(0, 2, wide).astype(dtype)[..., ::2] for _ in range(count)]


def rowwise(op, names):
    """Cases for functions of arrays of one shape that take ``out``."""
    def run(which, dtype, layout, inplace):
        xs = arrays((B, T, V), len(names), dtype, layout)
        if op.__name__ in ("softmax_backward", "log_softmax_backward"):
            xs[1] = ops.softmax.numpy(xs[1])
        out = xs[0] if inplace else None
        result = getattr(op, which)(*xs, out=out)
        assert not inplace or result is xs[0]
        return [result]
    return run


def dropout_case(which, dtype, layout, inplace):
    x, = arrays((B, T, V), 1, dtype, layout)
    drop = ops.Drop(0.3, 2**32 - 1, 7)
    dropped = [getattr(ops.dropout, which)(x[0, 0], drop), getattr(ops.dropout, which)(x[0], drop)]
    return [*dropped, getattr(ops.dropout, which)(x, drop, out=x if inplace else None)]


def cross_entropy_case(which, dtype, layout, inplace):
    logits, = arrays((B * T, V), 1, dtype, layout)
    labels = np.random.default_rng(1).integers(0, V, B * T)
    labels[::7] = -100
    op = ops.probability.cross_entropy_rows
    gradient = logits if inplace else np.empty_like(logits)
    alone = getattr(op, which)(logits, labels, -100, 0.01)
    loss = getattr(op, which)(logits, labels, -100, 0.01, gradient)
    assert alone == pytest.approx(loss, rel=1e-6)
    return [np.array(loss), gradient]


def add_bias_case(which, dtype, layout, inplace):
    y, b = arrays((B, T, V), 2, dtype, layout)
    ops.add_bias.__getattribute__(which)(y, b[0, 0].copy())
    return [y]


def sum_rows_case(which, dtype, layout, inplace):
    dy, = arrays((B, T, V), 1, dtype, layout)
    db = np.ones(V, dtype)
    getattr(ops.sum_rows, which)(dy, db)
    return [db / 10]


def layer_norm_case(which, dtype, layout, inplace):
    x, w, b = arrays((B, T, V), 3, dtype, layout)
    w, b = w[0, 0].copy(), b[0, 0].copy()
    y, stats = getattr(ops.layer_norm, which)(x, w, b, out=x if inplace else None)
    return [y, stats]


def layer_norm_backward_case(which, dtype, layout, inplace):
    dy, x, w = arrays((B, T, V), 3, dtype, layout)
    w = w[0, 0].copy()
    _, stats = ops.layer_norm.numpy(x, w, w)
    dw, db = np.ones(V, dtype), np.ones(V, dtype)
    dx = getattr(ops.layer_norm_backward, which)(dy, x, w, stats, dw, db,
                                                 out=dy if inplace else None)
    return [dx, dw / 20, db / 20]


def rms_norm_case(which, dtype, layout, inplace):
    x, w = arrays((B, T, V), 2, dtype, layout)
    w = w[0, 0].copy()
    return list(getattr(ops.rms_norm, which)(x, w, out=x if inplace else None))


def rms_norm_backward_case(which, dtype, layout, inplace):
    dy, x, w = arrays((B, T, V), 3, dtype, layout)
    w = w[0, 0].copy()
    _, r = ops.rms_norm.numpy(x, w)
    dw = np.ones(V, dtype)
    dx = getattr(ops.rms_norm_backward, which)(dy, x, w, r, dw, out=dy if inplace else None)
    return [dx, dw / 20]


def embedding_backward_case(which, dtype, layout, inplace):
    dy, = arrays((B, T, V), 1, dtype, layout)
    ids = np.random.default_rng(2).integers(0, 5, (B, T))  # every id occurs many times
    dw = np.ones((9, V), dtype)
    getattr(ops.embedding_backward, which)(dy, ids, dw)
    return [dw / 10]


def heads(layout, dtype):
    q, dy = arrays((B, H, T, D), 2, dtype, layout)
    k, v = arrays((B, H, S, D), 2, dtype, layout, seed=1)
    mask = np.random.default_rng(3).random((B, 1, 1, S)) < 0.7
    mask[0, :, :, :] = False
    mask[0, :, :, 100:] = True  # with causal, the first queries of row 0 see no key
    return dy, q, k, v, mask


def attention_case(which, dtype, layout, inplace):
    _, q, k, v, mask = heads(layout, dtype)
    return [getattr(ops.attention, which)(q, k, v, causal, m, out=q if inplace else None)[0]
            for causal, m in ((False, None), (False, mask), (True, None), (True, mask))
            if not inplace or (m is None and not causal)]


def attention_backward_case(which, dtype, layout, inplace):
    results = []
    for causal in (False, True):
        dy, q, k, v, mask = heads(layout, dtype)
        for m in (None, mask):
            y, saved = getattr(ops.attention, which)(q, k, v, causal, m)
            out = tuple(np.empty_like(x) for x in (q, k, v)) if inplace else None
            results += getattr(ops.attention_backward, which)(dy, q, k, v, y, saved, causal, m,
                                                              out=out)
    return results


def attention_decode_case(which, dtype, layout, inplace):
    _, q, k, v, _ = heads(layout, dtype)
    return [getattr(ops.attention_decode, which)(q[:, :, 0], k, v, np.array([0, 90]))]


def sum_of_squares_case(which, dtype, layout, inplace):
    x, = arrays((1, 5000), 1, dtype, layout)
    return [np.array(getattr(ops.sum_of_squares, which)(x[0]) / 1e4)]


def adamw_case(which, dtype, layout, inplace):
    w, grad, m, v = (x[0] for x in arrays((1, 5000), 4, dtype, "contiguous"))
    v = np.abs(v)
    getattr(ops.adamw, which)(w, grad, m, v, 0.1, 1e-2, 0.9, 0.99, 1e-8, 3)
    return [w, m, v]


def word2vec_case(op):
    def run(which, dtype, layout, inplace):
        inputs, outputs = arrays((9, V), 2, dtype, layout)  # 9 words: many stand twice in a window
        rng = np.random.default_rng(4)
        start, rates = np.array([0, 1, 1, 30, 40, T]), np.linspace(0.02, 0.001, T, dtype=dtype)
        for K in (1, 4, 7):  # in threes, sixes and both
            ids, negatives = rng.integers(0, 9, T), rng.integers(0, 9, (T, K))
            reach = rng.integers(0, 6, T)
            getattr(op, which)(inputs, outputs, ids, start, reach, negatives, rates)
        return [inputs, outputs]
    return run


def few_rows_case(which, dtype, layout, inplace):
    op, results = getattr(ops.products.few_rows, which), []
    for F in (48, V):  # whole vectors, and not
        w, = arrays((D, F), 1, dtype, layout, seed=1)
        for M in (2, 9, 16):
            x, out = arrays((M, D), 1, dtype, layout) + arrays((M, F), 1, dtype, layout)
            results += [op(x, w, out), op(x, arrays((F, D), 1, dtype, layout)[0].T, out.copy()),
                        op(x, np.repeat(w, 2, axis=1)[:, :w.shape[1]].copy(), out=out.copy())]
    return results


def lstm_step_case(which, dtype, layout, inplace):
    a, = arrays((T, 4 * V), 1, dtype, layout)
    before, c, h = arrays((T, V), 3, dtype, layout, seed=1)
    getattr(ops.recurrence.lstm_step, which)(a, before, c, h)
    return [a, c, h]


def lstm_step_backward_case(which, dtype, layout, inplace):
    a, = arrays((T, 4 * V), 1, dtype, layout)
    dh, dc, before, c, dbefore = arrays((T, V), 5, dtype, layout, seed=1)
    ops.recurrence.lstm_step.numpy(a, before, c, dh.copy())
    getattr(ops.recurrence.lstm_step_backward, which)(dh, dc, a, before, c, dbefore)
    return [dc, a, dbefore]


def gated_case(which, dtype, layout, inplace):
    x, y = arrays((B, T, 2 * V), 1, dtype, layout) + arrays((B, T, V), 1, dtype, layout)
    return [getattr(ops.gated, which)(x, out=y if inplace else None)]


def gated_backward_case(which, dtype, layout, inplace):
    x, dy = arrays((B, T, 2 * V), 1, dtype, layout) + arrays((B, T, V), 1, dtype, layout)
    return [getattr(ops.gated_backward, which)(dy, x, out=x if inplace else None)]


def choose_case(which, dtype, layout, inplace):
    p, = arrays((T, V), 1, dtype, layout)
    p[3, 4:9], p[5, ::3] = p[3, 0], np.nan  # equals, and what is no number
    return [getattr(ops.choose, which)(p, 5), getattr(ops.choose, which)(p, 1)]


def dispatched(dtype, layout):
    """Rows of the choices that were carried out, where they stand, and their weights."""
    weights, rows = arrays((T, 4), 1, dtype, layout) + arrays((3 * T, V), 1, dtype, layout)
    place = np.random.default_rng(6).permutation(4 * T).reshape(T, 4)
    return rows, np.where(place < 3 * T, place, -1), weights


def combine_case(which, dtype, layout, inplace):
    rows, place, weights = dispatched(dtype, layout)
    op = getattr(ops.combine, which)
    return [op(rows, place, weights, out=rows[:T] if inplace else None),
            op(rows[:0], np.full((2, 3), -1), weights[:2, :3])]


def combine_backward_case(which, dtype, layout, inplace):
    rows, place, weights = dispatched(dtype, layout)
    dy, = arrays((T, V), 1, dtype, layout, seed=3)
    out = rows if inplace else None
    drows, dweights = getattr(ops.combine_backward, which)(dy, rows, place, weights, out=out)
    assert not inplace or drows is rows
    return [drows, dweights]


CASES = {
    "softmax": rowwise(ops.softmax, "x"),
    "softmax_backward": rowwise(ops.softmax_backward, ["dy", "y"]),
    "log_softmax": rowwise(ops.log_softmax, "x"),
    "log_softmax_backward": rowwise(ops.log_softmax_backward, ["dy", "y"]),
    "dropout": dropout_case,
    "gelu": rowwise(ops.gelu, "x"),
    "gelu_backward": rowwise(ops.gelu_backward, ["dy", "x"]),
    "gelu_exact": rowwise(ops.gelu_exact, "x"),
    "gelu_exact_backward": rowwise(ops.gelu_exact_backward, ["dy", "x"]),
    "silu": rowwise(ops.silu, "x"),
    "silu_backward": rowwise(ops.silu_backward, ["dy", "x"]),
    "rms_norm": rms_norm_case,
    "rms_norm_backward": rms_norm_backward_case,
    "cross_entropy_rows": cross_entropy_case,
    "add_bias": add_bias_case,
    "sum_rows": sum_rows_case,
    "layer_norm": layer_norm_case,
    "layer_norm_backward": layer_norm_backward_case,
    "embedding_backward": embedding_backward_case,
    "attention": attention_case,
    "attention_backward": attention_backward_case,
    "attention_decode": attention_decode_case,
    "sum_of_squares": sum_of_squares_case,
    "adamw": adamw_case,
    "lstm_step": lstm_step_case,
    "lstm_step_backward": lstm_step_backward_case,
    "few_rows": few_rows_case,
    "gated": gated_case,
    "gated_backward": gated_backward_case,
    "choose": choose_case,
    "combine": combine_case,
    "combine_backward": combine_backward_case,
    "skip_gram": word2vec_case(ops.skip_gram),
    "bag_of_neighbours": word2vec_case(ops.bag_of_neighbours),
}
