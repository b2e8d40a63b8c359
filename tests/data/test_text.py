"""Reading files, Python's own text, downloads."""

import hashlib
import io
import urllib.error
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.data import download as download_file
from minillm.data import text as text_module
from minillm.data.downloading import SOURCES, Source
from minillm.data.text import (
    documents,
    numpy_documentation,
    python_documentation,
    python_sources,
    read_text,
)


def test_a_byte_that_is_not_utf8_is_located(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_bytes("好\nab".encode() + b"\xff" + b"cd")
    with pytest.raises(ValueError, match=r"byte 0xff at position 6 \(line 2\)"):
        read_text(path)
    path.write_bytes(b"\xef\xbb\xbfa\xfe")
    with pytest.raises(ValueError, match="byte 0xfe at position 4"):
        read_text(path)


def test_mark_and_line_ends(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_text(path) == "one\ntwo\nthree\n"


def test_documents(tmp_path):
    (tmp_path / "b.md").write_text("x\ny\n\n\nz\n")
    (tmp_path / "a.txt").write_text("one\n \ntwo\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.py").write_text("pass\n")
    (tmp_path / "sub" / "d.bin").write_bytes(b"\xff")
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "empty.txt").write_text(" \n")
    assert list(documents(tmp_path)) == ["one\n \ntwo\n", "x\ny\n\n\nz\n", "pass\n"]
    assert list(documents(tmp_path, per="line")) == ["one", "two", "x", "y", "z", "pass"]
    assert list(documents(tmp_path, per="paragraph")) == ["one", "two", "x\ny", "z", "pass"]
    both = [tmp_path / "b.md", str(tmp_path / "sub")]
    assert list(documents(both)) == ["x\ny\n\n\nz\n", "pass\n"]
    with pytest.raises(ValueError, match="per='word'"):
        list(documents(tmp_path, per="word"))
    with pytest.raises(FileNotFoundError, match="neither a file nor a folder"):
        list(documents(tmp_path / "none"))
    with pytest.raises(ValueError, match="holds no file"):
        list(documents(tmp_path, suffixes=(".tex",)))


def test_python_sources_and_documentation():
    for corpus in (python_sources, python_documentation):
        some = list(corpus(100_000))
        assert some == list(corpus(100_000))
        assert 99_990 < sum(len(text.encode()) for text in some) <= 100_000
        assert all(text.strip() for text in some)
        assert list(corpus(0)) == []
    assert any("def " in text for text in python_sources(50_000))
    prose = " ".join(python_documentation(800_000))
    assert prose.count(" the ") > 4000
    assert not any("site-packages" in str(p) for p in text_module.source_files())


@given(texts=st.lists(st.text()), limit=st.integers(0, 30))
def test_a_limit_never_cuts_a_character(texts, limit):
    kept = "".join(text_module.up_to(texts, limit))
    whole = "".join(texts)
    assert whole.startswith(kept)
    assert len(kept.encode()) <= limit
    missing = whole[len(kept) : len(kept) + 1]
    assert not missing or len((kept + missing).encode()) > limit - 3


def test_docstrings():
    source = '"""A."""\ndef f():\n    """B\n\n      c.\n    d\n    """\nclass D:\n    x = "no"\n'
    assert text_module.docstrings(source) == "A.\n\nB\n\n  c.\nd"
    assert text_module.docstrings("def (") == ""


@pytest.fixture
def network(monkeypatch):
    """A network that answers with bytes, or with an exception."""
    answers = []

    def urlopen(url, timeout):
        if isinstance(answers[0], Exception):
            raise answers[0]
        return io.BytesIO(answers[0])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    content = b"a small file"
    source = Source("https://example.org/x", 12, hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(SOURCES, "gpt2/x", source)
    answers.append(content)
    return answers


def test_download(network, tmp_path):
    path = download_file("gpt2/x", tmp_path)
    assert path.read_bytes() == b"a small file"
    network[0] = urllib.error.URLError("no route")
    assert download_file("gpt2/x", tmp_path) == path  # from the cache
    path.write_bytes(b"damaged file")
    with pytest.raises(OSError, match=r"example.org/x \(no route\).*put the file at"):
        download_file("gpt2/x", tmp_path)
    network[0] = b"another file"
    with pytest.raises(ValueError, match="gave 12 bytes with SHA-256"):
        download_file("gpt2/x", tmp_path)
    assert path.read_bytes() == b"damaged file"
    with pytest.raises(ValueError, match="name='gpt3'"):
        download_file("gpt3", tmp_path)


def test_numpy_documentation_is_real_text_in_a_fixed_order():
    found = list(numpy_documentation(300_000))
    assert found == list(numpy_documentation(300_000))
    prose = " ".join(found)
    assert 200_000 < len(prose.encode()) <= 310_000
    assert prose.count(" the ") > 1000
    assert all(text.strip() for text in found)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin1", "utf-8", "UTF8"])
def test_other_encodings(encoding, tmp_path):
    text = "café\n" if encoding == "latin1" else "猫坐在垫子上。café\n"
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert read_text(tmp_path / "a.txt", encoding) == text
    assert list(documents(tmp_path, encoding=encoding)) == [text]


@pytest.mark.parametrize(("encoding", "named"), [
    ("gb18030", "is not GB18030: byte 0xff at position 3 .line 2."), ("martian", "known encoding"),
    ("base64", "known encoding")])
def test_what_is_not_of_the_encoding_is_named(encoding, named, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"ab\n\xff\xff\n")
    with pytest.raises(ValueError, match=named):
        read_text(tmp_path / "a.txt", encoding)
