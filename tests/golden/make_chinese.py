"""Make chinese.json: words that jieba 0.42.1 finds, with the part of its tables that they need.

Run ``python tests/golden/make_chinese.py``. jieba is under the MIT licence (Sun Junyi); only the
entries that occur in the samples are stored.
"""

import json
import logging
from pathlib import Path

import jieba
from jieba import finalseg

jieba.setLogLevel(logging.ERROR)
SAMPLES = [
    "他来到了网易杭研大厦", "鞠婧祎3.5%涨", "a\r\nb", "南京市长江大桥", "结婚的和尚未结婚的",
    "乒乓球拍卖完了", "研究生命的起源", "小明硕士毕业于中国科学院计算所，后在日本京都大学深造。",
    "C++和c#是什么关系？11+122=133，是吗？PI=3.14159", " \t\n　你好 世界！",
    "工信处女干事每月经过下属科室", "今天天气不错，我们去公园玩 吧。\n好的", "𠀀字𪚥", "",
    "枇杷树下坐着欧阳娜娜和慕容雪", "买水果然后来世博园", "hello-world_1.5% & co",
    "秦川雄帝宅，函谷壯皇居。", "他从马上跳下来，马上就来。", "一二三四五六七八九十",
]


def main() -> None:
    jieba.initialize()
    table = jieba.dt.FREQ
    used = {
        sample[i:j]: table[sample[i:j]] for sample in SAMPLES for i in range(len(sample))
        for j in range(i + 1, len(sample) + 1) if table.get(sample[i:j])
    }
    characters = set("".join(SAMPLES))
    emissions = {
        state: {c: p for c, p in row.items() if c in characters}
        for state, row in finalseg.emit_P.items()
    }
    value = {
        "samples": SAMPLES, "counts": used, "total": jieba.dt.total,
        "start": finalseg.start_P, "transitions": finalseg.trans_P, "emissions": emissions,
        "words": [list(jieba.cut(sample)) for sample in SAMPLES],
        "without_hmm": [list(jieba.cut(sample, HMM=False)) for sample in SAMPLES],
    }
    target = Path(__file__).with_name("chinese.json")
    target.write_text(json.dumps(value, ensure_ascii=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
