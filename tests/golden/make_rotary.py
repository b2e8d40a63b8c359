"""Golden values of tests/ops/test_rotary.py: transformers' Llama turns queries and keys.

    python tests/golden/make_rotary.py > tests/golden/rotary.json
"""

import json

import numpy as np
import torch
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

rng = np.random.default_rng(12)
q, k = (torch.tensor(rng.normal(size=(2, h, 5, 8))) for h in (2, 1))
where = torch.tensor([[0, 1, 2, 3, 4], [7, 100, 1000, 5000, 8191]])
config = LlamaConfig(hidden_size=16, num_attention_heads=2, num_key_value_heads=1,
                     max_position_embeddings=8192)
cos, sin = LlamaRotaryEmbedding(config)(q, where)
turned_q, turned_k = apply_rotary_pos_emb(q, k, cos, sin)
print(json.dumps({"transformers": transformers.__version__, "q": turned_q.tolist(),
                  "k": turned_k.tolist()}))
