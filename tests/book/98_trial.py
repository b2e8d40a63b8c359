# %% [markdown]
# # Trial: one of everything
#
# ::::{card}
# :class-card: chapter-card
#
# Question
# : How does a chapter look with one of everything in it?
#
# You will build
# : A softmax, a picture of it and a token strip.
#
# Before this
# : {doc}`/book/notation`
#
# Runs in
# : about {glue:text}`trial-seconds` s on two cores
# ::::
#
# ## The question
#
# The {term}`softmax` turns {term}`logits` into a {term}`probability distribution`
# {cite:p}`bridle1990probabilistic`. With $z$ of shape (V,),
#
# $$
# p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} .
# $$ (eq-trial-softmax)
#
# Equation {eq}`eq-trial-softmax` is used by {cite:t}`vaswani2017attention` for attention.
# The first cell computes it for three numbers.

# %%
#| tags: [remove-cell]
from myst_nb import glue

# %%
import numpy as np

from minillm import show

z = np.array([2.0, 1.0, -1.0])
p = np.exp(z) / np.exp(z).sum()
print(p.round(3))

# %% [markdown]
# The largest logit gets most of the probability.

# %%
#| tags: [remove-cell]
glue("trial-largest", f"{p.max():.2f}", display=False)
glue("trial-seconds", 2, display=False)

# %% [markdown]
# The largest is {glue:text}`trial-largest`. {numref}`fig-trial-curve` shows it for other values.

# %%
#| caption: The probability of the first of three tokens as its logit grows.
#| name: fig-trial-curve
#| alt: An S-shaped curve that rises from near zero to near one, and its mirror image.
x = np.linspace(-6, 6, 200)
first = np.exp(x) / (np.exp(x) + np.e + 1)
lines = {"first": (x, first), "the others": (x, 1 - first)}
show.curves(lines, "logit of the first", "probability")

# %% [markdown]
# The curve saturates at both ends. Tokens in any script are shown as strips.

# %%
#| caption: "A text cut into tokens: spaces, a newline, Chinese, an emoji and markup."
#| name: fig-trial-tokens
pieces = ["The", " cat", " sat", "\n", "猫", "坐下", "了", "🐈", "<script>", b"\xe4\xbd", "\t"]
show.tokens(pieces, range(11), title="trial")

# %% [markdown]
# Each box is one token. {numref}`fig-trial-attention` puts weights between tokens, and
# {numref}`fig-trial-lines` draws the same weights as lines.

# %%
#| caption: Attention weights of four tokens under a causal mask.
#| name: fig-trial-attention
scores = np.tril(np.arange(16).reshape(4, 4) % 5 + 1.0)
weights = scores / scores.sum(1, keepdims=True)
show.attention(weights, ["The", " cat", "坐下", "了"])

# %% [markdown]
# Every row sums to one.

# %%
#| caption: The same weights as lines; wider lines are larger weights.
#| name: fig-trial-lines
show.attention(weights, ["The", " cat", "坐下", "了"], kind="lines")

# %% [markdown]
# The lines never lead to a later token. Next, bars, a matrix with signs, the shapes and the source.

# %%
show.bars({"猫": 0.61, " cat": 0.3, "<b>": 0.09}, title="next token")

# %% [markdown]
# The bars carry their numbers.

# %%
show.heatmap([[0.5, -1.25], [0.0, 2.0]], title="a matrix", rows=["a", "b"], columns=["x", "y"])

# %% [markdown]
# Negative cells are orange and have a minus sign.

# %%
show.shapes({"z": (z, "V", "logits"), "w": (weights, "T T", "attention weights")})

# %% [markdown]
# The shapes were checked. The package's own definition:

# %%
show.source(show.table, doc=False)

# %% [markdown]
# ## A wide thing
#
# The next cell prints a long line, which must scroll inside its box on a phone.

# %%
print(" ".join(str(i) for i in range(60)))

# %% [markdown]
# ## Exercises
#
# ```{exercise} ★ Temperature
# :label: ex-trial-temperature
#
# Divide the logits by 2 before the softmax. Does the largest probability grow?
# ```
#
# ````{solution-start} ex-trial-temperature
# :class: dropdown
# ````
#
# It shrinks: the distribution becomes flatter.

# %%
q = np.exp(z / 2) / np.exp(z / 2).sum()
assert q.max() < p.max()
print(q.round(3))

# %% [markdown]
# The largest is smaller than before.
#
# ````{solution-end}
# ````
#
# ## Summary
#
# 1. Everything works.
#
# :::{dropdown} A dropdown
# With text inside, and a formula $\tau \to \infty$.
# :::
