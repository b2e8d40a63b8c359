"""Live: ids of random models, and of models trained by us, in both reference libraries."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest

from minillm.tokenizers import Tokenizer
from minillm.tokenizers.unigram.most_probable import Unigram

pytestmark = pytest.mark.parity
MAKER = Path(__file__).parents[2] / "golden/make_unigram.py"


@pytest.fixture(scope="module")
def maker():
    pytest.importorskip("tokenizers")
    pytest.importorskip("sentencepiece")
    spec = importlib.util.spec_from_file_location("make_unigram", MAKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model_of(row):
    pieces = [tuple(piece) for piece in row["pieces"]]
    pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256) if row["fallback"]]
    texts, scores, types = zip(*pieces)
    kinds = types if row["variant"] == "sentencepiece" else None
    texts = [text.encode() for text in texts]
    return Unigram(texts, scores, kinds, 0, row["fallback"], row["variant"])


@pytest.mark.parametrize("seed", range(100, 140))
def test_random_models(maker, seed):
    for row in maker.encodings(random.Random(seed)):
        tok = Tokenizer(model_of(row))
        assert [tok.encode(text) for text in row["texts"]] == row["ids"], row["pieces"]


def test_n_best_and_sampling(maker):
    """Scores of the n best, and how often each path is drawn from all."""
    import sentencepiece

    rng = random.Random(7)
    pieces = [("<unk>", 0.0, 2), ("a", -1.0, 1), ("aa", -1.2, 1), ("aaa", -1.3, 1), ("b", -2.0, 1),
              ("ab", -2.77, 1), ("ba", -1.9, 1), ("aab", -3.1, 1)]
    theirs = sentencepiece.SentencePieceProcessor(model_proto=maker.model_file(pieces, False))
    row = {"pieces": pieces, "fallback": False, "variant": "sentencepiece"}
    model = model_of(row)
    for text in ("aab", "aaba", "abaab"):
        mine = [ids for ids, _ in model.n_best(text.encode(), 6)]
        assert mine == theirs.nbest_encode(text, nbest_size=6)
    for nbest in (-1, 3):
        draws = 6000
        mine, other = {}, {}
        for _ in range(draws):
            for table, ids in (
                (mine, model.sample(b"aaba", 0.5, nbest, rng)),
                (other, theirs.encode("aaba", enable_sampling=True, alpha=0.5, nbest_size=nbest)),
            ):
                table[tuple(ids)] = table.get(tuple(ids), 0) + 1 / draws
        assert set(mine) == set(other)
        assert mine == pytest.approx(other, abs=0.035)


def test_hugging_face_opens_what_we_train(maker, tmp_path, shared_data):
    import tokenizers

    lines = (shared_data / "tang_poems.txt").read_text("utf-8").split("\n")[:3000]
    tok = Tokenizer.train([*maker.CORPUS, *lines], "unigram", 5000, ["<s>"])
    tok.save(tmp_path / "tokenizer.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    texts = [*maker.CORPUS, *lines, "Ж the  cat ", ""]
    ids, _ = tok.encode_batch(texts)
    wanted = [row.ids for row in theirs.encode_batch(texts)]
    assert np.array_equal(ids, np.concatenate(wanted))
    for text in texts[:40]:
        assert tok.encode_with_offsets(text)[1] == theirs.encode(text).offsets
        assert tok.decode(tok.encode(text)) == theirs.decode(tok.encode(text))


@pytest.mark.parametrize("size", [300, 600])
def test_hugging_face_trains_the_same_pieces(maker, shared_data, size):
    from tokenizers import Tokenizer as Theirs
    from tokenizers import models, pre_tokenizers, trainers

    texts = (shared_data / "tinyshakespeare.txt").read_text("utf-8")[:60_000].split("\n")
    theirs = Theirs(models.Unigram())
    theirs.pre_tokenizer = pre_tokenizers.Metaspace()
    theirs.train_from_iterator(texts, trainers.UnigramTrainer(
        vocab_size=size, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>"
    ))
    tok = Tokenizer.train(texts, "unigram", size)
    assert {tok.id_to_token(id) for id in range(size)} == set(theirs.get_vocab())
