"""Make user_words.json: counts that jieba 0.42.1 gives to the words of a user dictionary.

Run ``python tests/golden/make_user_words.py``. The dictionary is the small one of chinese.json.
"""

import io
import json
import logging
from pathlib import Path

import jieba

jieba.setLogLevel(logging.ERROR)
LINES = """\
南京市长
长江大桥 7
网易杭研 n
杭研大厦 3 nz
C++语言

的 中 文 5
欧阳娜娜
hello-world_1.5%
雄帝宅，函谷
他从马上
研究生命
研究生命的起源 nz
"""


def main() -> None:
    folder = Path(__file__).parent
    known = json.loads((folder / "chinese.json").read_text("ascii"))
    dictionary = jieba.Tokenizer()
    for word, count in known["counts"].items():
        dictionary.FREQ[word] = count
    for word in known["counts"]:
        for n in range(1, len(word)):
            dictionary.FREQ.setdefault(word[:n], 0)
    dictionary.total, dictionary.initialized = known["total"], True
    dictionary.load_userdict(io.BytesIO(LINES.encode()))
    value = {
        "lines": LINES, "frequencies": dictionary.FREQ, "total": dictionary.total,
        "words": [list(dictionary.cut(sample, HMM=False)) for sample in known["samples"]],
    }
    (folder / "user_words.json").write_text(json.dumps(value) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
