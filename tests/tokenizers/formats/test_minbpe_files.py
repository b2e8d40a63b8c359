"""minbpe's .model files: ids as its encoder gives them, and broken files."""

from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from minillm.tokenizers import Tokenizer

GPT4 = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|"
        r"\s*[\r\n]|\s+(?!\S)|\s+")
MERGES = [(116, 104), (256, 101), (32, 257), (97, 97), (259, 97), (32, 97), (195, 169), (52, 53)]
FILES = {
    "basic": "minbpe v1\n\n0\n",
    "regex": f"minbpe v1\n{GPT4}\n2\n<|end|> 300\n<a b> 301\n",
}


def written(path, name, merges=MERGES):
    path.write_text(FILES[name] + "".join(f"{a} {b}\n" for a, b in merges), "utf-8")
    return path


def ids_by_definition(text, name):
    """minbpe's way: join the pair that was learned first, until none is left, in each piece."""
    ranks = {pair: 256 + k for k, pair in enumerate(MERGES)}
    found = []
    for piece in regex.findall(GPT4, text) if name == "regex" else [text]:
        ids = list(piece.encode())
        while len(ids) > 1:
            pair = min(pairwise(ids), key=lambda pair: ranks.get(pair, 10**9))
            if pair not in ranks:
                break
            joined, k = [], 0
            while k < len(ids):
                if tuple(ids[k : k + 2]) == pair:
                    joined.append(ranks[pair])
                    k += 2
                else:
                    joined.append(ids[k])
                    k += 1
            ids = joined
        found += ids
    return found


@pytest.mark.parametrize("name", FILES)
def test_ids(name, tmp_path):
    tok = Tokenizer.load(written(tmp_path / "t.model", name))

    @given(st.text(st.sampled_from(" the a45'sTé\n中!"), max_size=30))
    def same(text):
        ids = ids_by_definition(text, name)
        assert tok.encode(text) == ids
        assert tok.decode(ids) == text

    same()
    assert tok.vocab_size == (264 if name == "basic" else 302)


def test_special_tokens_and_saving(tmp_path):
    tok = Tokenizer.load(written(tmp_path / "t.model", "regex"), special_tokens={"<more>": 310})
    text = "the<|end|> the<a b><more>"
    assert tok.encode(text, special="allow") == [257, 300, 258, 301, 310]
    with pytest.raises(ValueError, match=r"special token '<\|end\|>'"):
        tok.encode(text)
    tok.save(tmp_path / "t.json")
    assert Tokenizer.load(tmp_path / "t.json").encode(" the 45é\n") == tok.encode(" the 45é\n")


@pytest.mark.parametrize(("content", "message"), [
    ("minbpe v1\n", "line 3"), ("minbpe v1\n\nx\n", "line 3"), ("minbpe v1\n\n5\n1 2\n", "line 3"),
    ("minbpe v1\n\n1\n300\n", "line 4"), ("minbpe v1\n\n2\na 300\na 301\n", "line 5"),
    ("minbpe v1\n\n0\n97 256\n", "line 4"), ("minbpe v1\n\n0\n97 97\n1\n", "line 5"),
    ("minbpe v1\n\n1\nx 256\n97 97\n", "id 256"), ("minbpe v1\n(\n0\n97 97\n", "pattern"),
    ("minbpe v1\n\n0\n97 97\n" + "".join(f"{k} {k}\n" for k in range(256, 290)), "bytes"),
])
def test_broken_files(content, message, tmp_path):
    (tmp_path / "t.model").write_text(content, "utf-8")
    with pytest.raises(ValueError, match=message):
        Tokenizer.load(tmp_path / "t.model")
