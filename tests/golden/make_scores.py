"""Golden values of tests/test_scores.py: sacrebleu 2.6.0 with its default settings.

    python tests/golden/make_scores.py > tests/golden/scores.json
"""

import json
import random

import sacrebleu

ENGLISH = [
    "The cat sat on the mat.", "A quick brown fox, 3.14 times, jumps over it!",
    "Don't pay $5 (now) - pay 1,000 later.", "He said: &quot;no &amp; yes&quot; <b>", "One",
    "the the the the the", "Ends with a dash-\nand goes on\nhere", "“Curly” quotes — and dashes …",
]
CHINESE = [
    "小猫坐在垫子上。", "昨天我在北京买了三本书，很便宜！", "2017年，GPT-2还没有出现。", "好",
    "他说：“你好”。", "我 喜欢 唱歌", "ＡＢＣ，①②③", "《红楼梦》第1,000页。",
]


def worse(text, rng):
    """The text with some characters or words dropped, doubled or moved."""
    parts = text.split(" ") if " " in text else list(text)
    out = []
    for part in parts:
        chance = rng.random()
        if chance < 0.15:
            continue
        out += [part, part] if chance < 0.25 else [part]
    if len(out) > 3 and rng.random() < 0.5:
        i = rng.randrange(len(out) - 1)
        out[i], out[i + 1] = out[i + 1], out[i]
    return (" " if " " in text else "").join(out)


rng = random.Random(1)
cases = []
for kind, texts in (("13a", ENGLISH), ("zh", CHINESE), ("char", ENGLISH + CHINESE)):
    sets = [([text], [text]) for text in texts]
    sets += [([worse(text, rng)], [text]) for text in texts for _ in range(3)]
    sets += [([worse(text, rng) for text in texts], texts) for _ in range(4)]
    sets += [(["xyz", ""], ["The cat sat on the mat.", "on it"]), ([""], ["a"])]
    for found, wanted in sets:
        cases.append({
            "tokenize": kind, "texts": found, "references": wanted,
            "bleu": sacrebleu.corpus_bleu(found, [wanted], tokenize=kind, force=True).score,
            "chrf": sacrebleu.corpus_chrf(found, [wanted]).score})
print(json.dumps({"sacrebleu": sacrebleu.__version__, "cases": cases}, ensure_ascii=False))
