"""Golden values of tests/models/test_experts.py: transformers' mixtures of experts.

    python tests/golden/make_experts.py > tests/golden/experts.json
"""

import json

import numpy as np
import torch
import transformers
from transformers import DeepseekV2Config, DeepseekV3Config, MixtralConfig
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Moe
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3MoE
from transformers.models.mixtral.modeling_mixtral import (
    MixtralSparseMoeBlock,
    load_balancing_loss_func,
)

C, F, E, K, SHARED = 6, 4, 5, 2, 2
deepseek = dict(hidden_size=C, moe_intermediate_size=F, n_routed_experts=E, num_experts_per_tok=K,
                n_shared_experts=SHARED, n_group=1, topk_group=1, routed_scaling_factor=1.0,
                num_attention_heads=2)
BLOCKS = {
    "Mixtral": MixtralSparseMoeBlock(MixtralConfig(
        hidden_size=C, intermediate_size=F, num_local_experts=E, num_experts_per_tok=K,
        num_attention_heads=2)),
    "DeepSeek-V2": DeepseekV2Moe(DeepseekV2Config(
        **deepseek, topk_method="greedy", norm_topk_prob=False)),
    "DeepSeek-V3": DeepseekV3MoE(DeepseekV3Config(**deepseek, norm_topk_prob=True)),
}


def rounded(array):
    """float32 has seven digits."""
    return np.round(array.detach().numpy().astype(float), 7).tolist()


torch.manual_seed(0)
found = {"transformers": transformers.__version__}
for name, block in BLOCKS.items():
    block.experts.config._experts_implementation = "eager"
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, 0, 0.5)
    if name == "DeepSeek-V3":
        block.gate.e_score_correction_bias.copy_(torch.linspace(0.2, -0.2, E))
    x = torch.randn(3, 4, C, requires_grad=True)
    dy = torch.randn(3, 4, C)
    y = block(x)
    y.backward(dy)
    named = dict(block.named_parameters())
    found[name] = {"x": rounded(x), "dy": rounded(dy), "y": rounded(y), "dx": rounded(x.grad),
                   "w": {n: rounded(p) for n, p in named.items()},
                   "dw": {n: rounded(p.grad) for n, p in named.items()}}
    if name == "DeepSeek-V3":
        found[name]["correction"] = rounded(block.gate.e_score_correction_bias)
scores = torch.randn(7, E)
found["balance"] = {"scores": rounded(scores),
                    "loss": load_balancing_loss_func((scores,), E, K).item()}
print(json.dumps(found))
