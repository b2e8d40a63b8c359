"""A small BERT of transformers', with what it computes: run with transformers and torch installed.

    python tests/golden/make_bert.py [folder of all-MiniLM-L6-v2]

writes tests/golden/bert/ (config.json and model.safetensors, weights of all three kinds in one)
and bert.json; with the folder of the real model also minilm.json, vectors of some sentences.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
)

HERE = Path(__file__).parent
SENTENCES = ["A cat sits on the mat.", "There is a cat on a rug.", "Prices rose in March.",
             "He went to the bank of the river to fish, then walked home along the old road.", "?"]


def small():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=12, max_position_embeddings=10, num_labels=3)
    masked, classifier = BertForMaskedLM(config), BertForSequenceClassification(config)
    for p in masked.parameters():
        p.data = torch.randn_like(p) * 0.5
    for p in classifier.parameters():
        p.data = torch.randn_like(p) * 0.5
    classifier.bert.load_state_dict(masked.bert.state_dict(), strict=False)
    masked.eval(), classifier.eval()
    ids = torch.randint(0, 20, (3, 7))
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
    types = torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0], [0] * 7])
    inputs = dict(input_ids=ids, attention_mask=mask, token_type_ids=types)
    state = {k: v.contiguous() for k, v in (classifier.state_dict() | masked.state_dict()).items()
             if not k.startswith("cls.predictions.decoder")}
    folder = HERE / "bert"
    config.architectures = ["BertForMaskedLM"]
    config.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with torch.no_grad():
        found = dict(ids=ids, mask=mask, types=types,
                     vectors=classifier.bert(**inputs).last_hidden_state,
                     words=masked(**inputs).logits, classes=classifier(**inputs).logits)
    write("bert", {name: value.tolist() for name, value in found.items()})


def real(folder):
    """Mean over the tokens and length 1, as its modules.json says."""
    tokenizer, model = BertTokenizer.from_pretrained(folder), BertModel.from_pretrained(folder)
    model.eval()
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        x = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((x * mask).sum(1) / mask.sum(1))
    ids = [row[keep.bool()].tolist()
           for row, keep in zip(batch["input_ids"], batch["attention_mask"], strict=True)]
    rounded = [[round(number, 8) for number in row] for row in vectors.tolist()]
    write("minilm", dict(sentences=SENTENCES, ids=ids, vectors=rounded))


def write(name, found):
    (HERE / f"{name}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    small()
    if len(sys.argv) > 1:
        real(sys.argv[1])
