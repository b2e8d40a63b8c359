"""What users of other libraries reach for: words and characters of tokens, batches, options."""

import json
from pathlib import Path

import numpy as np
import pytest

from minillm.tokenizers import Join, Template, Tokenizer
from minillm.tokenizers.post_processors.lengths import Padding, Truncation
from minillm.tokenizers.text.byte_alphabet import bytes_to_characters

END, PAD = "<|end|>", "<pad>"
TEXTS = ["the cat sat on the mat, and the cat slept. ", "猫坐在垫子上。", "a naïve café 🙂 "]


@pytest.fixture(scope="module")
def tok():
    return Tokenizer.train(TEXTS * 3, "byte_bpe", 300, [END, PAD])


@pytest.fixture(scope="module")
def framed(tok):
    """The same with a token around each text."""
    ends = tok.special_tokens[END], tok.special_tokens[PAD]
    return Tokenizer(tok.model, None, tok.pre_tokenizer, Template.around(ends[:1], ends[:1]),
                     tok.decoder, tok.special_tokens)


def test_what_the_post_processor_adds_can_be_left_out(tok, framed):
    text = "the cat"
    bare = tok.encode(text)
    assert framed.encode(text) == [0, *bare, 0]
    assert framed.encode(text, add_special_tokens=False) == bare
    assert framed.encode_array(text, "raise", False).tolist() == bare
    assert framed.encode_with_offsets(text, add_special_tokens=False)[0] == bare
    assert framed.encode_pair(text, text, add_special_tokens=False) == (
        bare * 2, [0] * len(bare) + [1] * len(bare))
    assert framed.encode_batch([text, text], add_special_tokens=False)[0].tolist() == bare * 2


def test_special_tokens_one_by_one(tok):
    text = f"the{END}cat{PAD}"
    the, cat = tok.encode("the"), tok.encode("cat")
    as_text = tok.encode(PAD, "text")
    assert tok.encode(text, {END: "allow", PAD: "text"}) == [*the, 0, *cat, *as_text]
    assert tok.encode(f"the{END}", {END: "allow"}) == [*the, 0]
    with pytest.raises(ValueError, match=r"special token '<pad>' at character 13"):
        tok.encode(text, {END: "allow"})
    with pytest.raises(ValueError, match=r"special names '<x>'"):
        tok.encode(text, {"<x>": "allow"})
    with pytest.raises(ValueError, match=r"special\['<pad>'\]='yes'"):
        tok.encode(text, {PAD: "yes"})
    ids, offsets = tok.encode_batch(["the", text], {END: "allow", PAD: "allow"})
    assert ids[offsets[1]:].tolist() == [*the, 0, *cat, 1]


def test_encode_iterable_is_lazy(tok):
    seen = []

    def texts():
        for text in ("the cat", " sat"):
            seen.append(text)
            yield text

    ids = tok.encode_iterable(texts())
    assert seen == []
    assert list(ids) == tok.encode("the cat") + tok.encode(" sat")
    assert list(tok.encode_iterable([])) == []


def test_decoding_in_batches_and_with_places(tok):
    rows = [tok.encode(text) for text in TEXTS]
    assert tok.decode_batch(rows) == TEXTS
    half = tok.encode("猫")[:1]
    assert tok.decode(half, errors="ignore") == ""
    assert tok.decode(half, errors="replace") == "\ufffd"
    with pytest.raises(UnicodeDecodeError):
        tok.decode(half, errors="strict")
    text, starts = tok.decode_with_offsets(tok.encode("a🙂b", "text"))
    assert text == "a🙂b"
    assert starts[0] == 0
    assert starts[-1] == 2
    assert set(starts[1:-1]) == {1}  # all bytes of the face begin where it does
    with pytest.raises(UnicodeDecodeError):
        tok.decode_with_offsets(half)
    with pytest.raises(TypeError, match="does not just join"):
        Tokenizer.train(["a b"], "bpe", 20).decode_with_offsets([1])


def test_places_of_decoding_equal_tiktoken(tok):
    tiktoken = pytest.importorskip("tiktoken")
    ranks = {data: id - 2 for data, id in tok.model.ids.items()}
    theirs = tiktoken.Encoding("x", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={})
    ours = Tokenizer.from_ranks(ranks, r"\S+|\s+")
    for text in TEXTS:
        ids = theirs.encode_ordinary(text)
        assert ours.encode(text) == ids
        assert ours.decode_with_offsets(ids) == theirs.decode_with_offsets(ids)


def test_vocabulary(tok):
    table = tok.get_vocab()
    assert table[END.encode()] == 0
    assert len(table) == tok.vocab_size
    assert all(tok.id_to_bytes(id) == data for data, id in table.items())
    assert tok.pad_id == 1
    assert tok.bos_id is None
    assert Tokenizer.train(["a"], "char", special_tokens=["<s>", "</s>"]).bos_id == 0
    words = Tokenizer.train(["a b"], "word")
    assert words.unk_id == words.token_to_id("<|unk|>")


def test_add_tokens_makes_another_tokenizer(tok):
    more = tok.add_tokens(["<|user|>", END])
    assert more.vocab_size == tok.vocab_size + 1
    assert more.encode("the<|user|>", "allow") == [*tok.encode("the"), tok.vocab_size]
    assert tok.token_to_id("<|user|>") is None
    plain = tok.add_tokens(["cat"], ordinary=True)
    assert plain.encode("the cat") == [*tok.encode("the "), tok.vocab_size]
    with pytest.raises(ValueError, match="non-empty"):
        tok.add_tokens([""])


def test_add_tokens_knows_the_entries_of_the_model(tmp_path):
    words = Tokenizer.train(["the cat is in the house"] * 9, "wordpiece", 60)
    more = words.add_tokens(["the"], ordinary=True)
    assert more.token_to_id("the") == words.token_to_id("the")
    more.save(tmp_path / "tok.json")
    assert Tokenizer.load(tmp_path / "tok.json").encode("the cat") == more.encode("the cat")
    letters = Tokenizer.train(["a"], "byte_bpe", 256).add_tokens(["é"])  # spelled like byte E9
    with pytest.raises(ValueError, match="special token 'é' with the id 256 is spelled like"):
        letters.save(tmp_path / "tok.json")


def test_ids_of_special_tokens_are_checked(tok):
    for id in (-3, 1 << 40, 1.5, True):
        with pytest.raises(ValueError, match=r"special_tokens\['<q>'\]="):
            Tokenizer(tok.model, special_tokens={"<q>": id})
    with pytest.raises(ValueError, match=r"is the id of b'F' in the model"):
        Tokenizer.from_ranks({bytes([b]): b for b in range(256)}, special_tokens={"<q>": 70})
    given = {"<q>": 500}
    made = Tokenizer(tok.model, special_tokens=given)
    given["<w>"] = 501
    assert made.special_tokens == {"<q>": 500}


def test_single_texts_and_wrong_kinds_are_refused(tok):
    for call in (
        lambda: tok.add_tokens("<new>"), lambda: tok.encode_batch("abc"), lambda: tok.batch("abc"),
        lambda: list(tok.encode_iterable("abc")), lambda: tok.batch(["a"], "b"),
        lambda: Tokenizer.train(["a"], "char", special_tokens="<s>"),
    ):
        with pytest.raises(TypeError, match="is a single str; pass a list"):
            call()
    with pytest.raises(TypeError, match=r"special=\{'<s>'\} is a set; expected one of raise"):
        tok.encode("a", {"<s>"})
    with pytest.raises(TypeError, match="padding='longest'; expected a Padding"):
        tok.batch(["a"], padding="longest")
    with pytest.raises(TypeError, match="truncation=3; expected a Truncation"):
        tok.batch(["a"], truncation=3)
    with pytest.raises(TypeError, match="text=5 is a int; expected str, or a list of words"):
        tok.encoding(5)
    with pytest.raises(TypeError, match="expected a map from bytes"):
        Tokenizer.from_ranks([b"a"])
    for make in (lambda: Truncation(1.5), lambda: Padding(length="a"), lambda: Padding(pad_id=-1),
                 lambda: Truncation(None), lambda: Padding(pad_id=1 << 31)):
        with pytest.raises(ValueError, match="expected a whole number"):
            make()
    with pytest.raises(IndexError, match="token=99 is not one of"):
        tok.encoding("a").token_to_chars(99)
    assert tok.token_to_id("\ud800") is None


def test_encode_iterable_fills_nothing_up(tok):
    filled = Tokenizer(tok.model, pre_tokenizer=tok.pre_tokenizer, padding=Padding(pad_id=5))
    assert list(filled.encode_iterable(["a", "the cat"])) == tok.encode("a") + tok.encode("the cat")


def test_a_special_token_may_hold_the_joint_of_texts(tok):
    made = Tokenizer(tok.model, pre_tokenizer=tok.pre_tokenizer,
                     special_tokens={"\nX\nY": 400, "X": 401})
    ids, offsets = made.encode_batch(["a", "X", "Yb"], "allow")
    assert ids[offsets[1] : offsets[2]].tolist() == [401]
    with pytest.raises(ValueError, match="special token 'X'"):
        made.encode_batch(["a", "X", "Yb"])


def test_encoding_maps_between_characters_tokens_and_words(framed):
    text = "the cat"
    found = framed.encoding(text)
    assert found.ids.tolist() == framed.encode(text)
    assert found.tokens[0] == END
    assert found.special_tokens_mask.tolist() == [True] + [False] * (len(found) - 2) + [True]
    assert found.attention_mask.all()
    assert found.token_to_chars(0) is None
    assert found.token_to_word(0) is None
    for place, character in enumerate(text):
        token = found.char_to_token(place)
        start, end = found.token_to_chars(token)
        assert start <= place < end
        assert text[place] == character
        assert found.char_to_word(place) == (0 if place < 3 else 1)
    assert found.word_to_chars(1) == (3, 7)
    start, end = found.word_to_tokens(1)
    assert "".join(found.tokens[start:end]) == " cat"
    assert found.word_to_tokens(9) is None
    pair = framed.encoding(text, " sat")
    assert pair.char_to_token(0, 1) == len(found)
    assert pair.sequence_ids.tolist().count(-1) == 3
    assert pair.type_ids[-1] == 1


def test_words_that_are_cut_already(tok):
    found = tok.encoding(["the", " cat", "🙂"])
    assert found.ids.tolist() == [*tok.encode("the"), *tok.encode(" cat"), *tok.encode("🙂")]
    assert found.word_to_chars(1) == (0, 4)  # characters of the word
    assert sorted(set(found.word_ids.tolist())) == [0, 1, 2]


def test_batches_are_arrays_with_masks(tok, framed):
    texts = ["the cat sat", "cat"]
    ids, types, mask = tok.batch(texts)
    rows = [tok.encode(text) for text in texts]
    assert ids.shape == types.shape == mask.shape == (2, len(rows[0]))
    assert ids[1].tolist() == rows[1] + [1] * (len(rows[0]) - len(rows[1]))
    assert mask.sum(1).tolist() == [len(row) for row in rows]
    left = tok.batch(texts, padding=Padding(pad_id=1, direction="left"))
    assert left.ids[1, -len(rows[1]):].tolist() == rows[1]
    assert not left.attention_mask[1, 0]
    short = framed.batch(texts, ["mat", "mat"], truncation=Truncation(5))
    assert short.ids.shape == (2, 5)
    assert (short.ids[:, 0] == 0).all()
    assert set(short.type_ids[0].tolist()) == {0, 1}
    with pytest.raises(ValueError, match="pairs has 1 texts for 2"):
        tok.batch(texts, ["a"])
    with pytest.raises(ValueError, match="has the length 2"):
        tok.batch(texts, padding=Padding(2, pad_id=1))
    with pytest.raises(ValueError, match="knows no padding token"):
        Tokenizer.train(["a"], "char").batch(["a"])
    empty = tok.batch([])
    assert empty.ids.shape == (0, 0)


def test_ranks_and_bytes(tmp_path, tok):
    ranks = {bytes([b]): b for b in range(256)} | {b"th": 256, b"the": 257}
    made = Tokenizer.from_ranks(ranks, "gpt2", {END: 258})
    assert made.encode("the th") == [257, 32, 256]
    with pytest.raises(ValueError, match="ranks: no token for byte 0x00"):
        Tokenizer.from_ranks({b"a": 0})
    with pytest.raises(ValueError, match="expected bytes and a number"):
        Tokenizer.from_ranks(ranks | {b"x": -1})
    tok.save(tmp_path / "tok.json")
    data = (tmp_path / "tok.json").read_bytes()
    assert Tokenizer.load(data).encode(TEXTS[0]) == tok.encode(TEXTS[0])
    pieces = Tokenizer.train(TEXTS * 9, "sentencepiece", 35)
    pieces.save(tmp_path / "tok.model")
    again = Tokenizer.load((tmp_path / "tok.model").read_bytes())
    assert again.encode("the cat") == pieces.encode("the cat")
    assert (again.bos_id, again.eos_id, again.pad_id, again.unk_id) == (1, 2, None, 0)
    vocabulary = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n"
    assert Tokenizer.load(vocabulary).encode("the cat") == [2, 5, 6, 3]
    with pytest.raises(ValueError, match="data: "):
        Tokenizer.load(b"{broken")


def test_training_does_not_count_special_tokens(tmp_path):
    path = Path(tmp_path, "texts.txt")
    text = f"abab{END}abab{END}{END}\n"
    path.write_text(text)
    for texts in ([text] * 4, [path] * 4):
        made = Tokenizer.train(texts, "byte_bpe", 270, [END])
        learned = [made.id_to_bytes(id) for id in range(257, made.vocab_size)]
        assert learned == [b"ab", b"abab"]


def test_the_library_says_the_same_of_words_and_characters(tok, framed, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    framed.save(tmp_path / "tok.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tok.json"))
    for text in [*TEXTS, "  the   cat!", "naïve🙂cat"]:
        want, got = theirs.encode(text), framed.encoding(text)
        assert got.ids.tolist() == want.ids
        assert [None if w < 0 else w for w in got.word_ids.tolist()] == want.word_ids
        assert [None if s < 0 else s for s in got.sequence_ids.tolist()] == want.sequence_ids
        assert got.special_tokens_mask.astype(int).tolist() == want.special_tokens_mask
        assert [tuple(o) for o in got.offsets.tolist()] == want.offsets
        for place in range(len(text)):
            assert got.char_to_token(place) == want.char_to_token(place)
            assert got.char_to_word(place) == want.char_to_word(place)
    want = theirs.encode("the cat", "sat", add_special_tokens=False)
    got = framed.encoding("the cat", "sat", add_special_tokens=False)
    assert got.ids.tolist() == want.ids
    assert got.type_ids.tolist() == want.type_ids
    theirs.enable_padding(pad_id=1, pad_token=PAD)
    theirs.enable_truncation(6)
    want = theirs.encode_batch([("the cat sat", "mat"), ("cat", "the")])
    got = framed.batch(["the cat sat", "cat"], ["mat", "the"], Truncation(6), Padding(pad_id=1))
    assert got.ids.tolist() == [row.ids for row in want]
    assert got.attention_mask.astype(int).tolist() == [row.attention_mask for row in want]
    assert got.type_ids.tolist() == [row.type_ids for row in want]


def test_the_old_way_to_name_bytes(tmp_path, tok):
    """get_vocab has bytes; the file has them in the byte alphabet."""
    tok.save(tmp_path / "tok.json")
    stored = json.loads((tmp_path / "tok.json").read_text(encoding="utf-8"))["model"]["vocab"]
    ours = {bytes_to_characters(data): id for data, id in tok.model.ids.items()}
    assert {key: id for key, id in stored.items() if id > 1} == ours
    assert isinstance(tok.decoder, Join)
    assert np.array_equal(sorted(ours.values()), np.arange(2, tok.vocab_size))
