"""The arithmetic of a language model: pure array functions in forward/backward pairs.

Every function here is a *definition* in NumPy. What ``backward`` needs is passed to it; the
gradient of an input is returned (into ``out=`` when given); gradients of parameters are *added*
to the array passed in (``dw += ...``). ``dy`` is the gradient of the loss with respect to ``y``.
The functions take float32 and float64. Most have a Numba twin; see :mod:`minillm.backends`.
"""

from .activation import (
    ACTIVATIONS,
    gelu,
    gelu_backward,
    gelu_exact,
    gelu_exact_backward,
    relu,
    relu_backward,
    silu,
    silu_backward,
)
from .affine import add_bias, linear, linear_backward, sum_rows
from .convolution import (
    convolve,
    convolve_backward,
    gated,
    gated_backward,
    look_back,
    look_back_backward,
)
from .dispatch import (
    by_expert,
    capacity_of,
    combine,
    combine_backward,
    grouped_linear,
    grouped_linear_backward,
)
from .dropping import Drop, dropout
from .look_up import embedding, embedding_backward
from .negative_samples import (
    bag_of_neighbours,
    negative_sampling,
    negative_sampling_backward,
    skip_gram,
)
from .norm import layer_norm, layer_norm_backward, rms_norm, rms_norm_backward
from .optimizer_steps import adamw, lion, muon, rmsprop, sgd, sum_of_squares
from .position import rotate, sinusoids
from .probability import (
    cross_entropy,
    log_softmax,
    log_softmax_backward,
    logsumexp,
    softmax,
    softmax_backward,
)
from .recurrence import lstm, lstm_backward, tanh_recurrence, tanh_recurrence_backward
from .routing import (
    GATES,
    choose,
    load_balance,
    load_balance_backward,
    weigh,
    weigh_backward,
    z_loss,
    z_loss_backward,
)
from .scaled_dot_product import attention, attention_backward, attention_decode

__all__ = [
    "ACTIVATIONS", "GATES", "Drop", "adamw", "add_bias", "attention", "attention_backward",
    "attention_decode", "bag_of_neighbours", "by_expert", "capacity_of", "choose", "combine",
    "combine_backward", "convolve", "convolve_backward", "cross_entropy", "dropout", "embedding",
    "embedding_backward", "gated", "gated_backward", "gelu", "gelu_backward", "gelu_exact",
    "gelu_exact_backward", "grouped_linear", "grouped_linear_backward", "layer_norm",
    "layer_norm_backward", "linear", "linear_backward", "lion", "load_balance",
    "load_balance_backward", "log_softmax", "log_softmax_backward", "logsumexp", "look_back",
    "look_back_backward", "lstm", "lstm_backward", "muon", "negative_sampling",
    "negative_sampling_backward", "relu", "relu_backward", "rms_norm", "rms_norm_backward",
    "rmsprop", "rotate", "sgd", "silu", "silu_backward", "sinusoids", "skip_gram", "softmax",
    "softmax_backward", "sum_of_squares", "sum_rows", "tanh_recurrence", "tanh_recurrence_backward",
    "weigh", "weigh_backward", "z_loss", "z_loss_backward",
]
