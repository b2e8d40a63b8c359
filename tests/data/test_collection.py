"""The short stories that come along are whole, and in the form that the tools expect."""

import re

import pytest

from minillm.data import collection
from minillm.data.collection import folder


def test_there_are_enough_in_both_languages():
    found = collection.stories()
    assert len(found) >= 15
    assert sum(len(story.text) for story in found) >= 60_000
    assert len({story.title for story in found}) == len(found)
    assert [story.language for story in found] == sorted(story.language for story in found)
    assert collection.stories("zh") == [story for story in found if story.language == "zh"]


@pytest.mark.parametrize("language", collection.LANGUAGES)
def test_files_are_a_title_and_paragraphs(language):
    for path in sorted(folder(language).glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        assert re.fullmatch(r"[a-z0-9-]+\.txt", path.name)
        assert text.endswith("\n")
        assert "\r" not in text
        assert not re.search(r"[ \u3000]\n|\n\n\n|\n[ \u3000]", text)
        assert not re.search(r"<\w+>|\*\*|^#", text)
        title, *paragraphs = text.rstrip("\n").split("\n\n")
        assert len(title) < 60
        assert len(paragraphs) > 5
        assert not any("\n" in paragraph for paragraph in paragraphs), path.name
        if language == "zh":
            assert not re.search(r"[\u4e00-\u9fff][,.?!:;\"'()]", text), path.name
        else:
            assert '"' not in text, path.name


def test_another_language_is_refused():
    with pytest.raises(ValueError, match="language='fr': expected one of en, zh"):
        collection.stories("fr")
