"""The documents whose vectors scikit-learn computed; see tests/golden/make_vectors.py."""

LEARNED = [
    "the dog did not take the bridge because it was too tired",
    "the dog did not take the bridge because it was too narrow",
    "a bridge is a road over a river",
    "小狗 不肯 走 这 座 桥 因为 它 太 累 了",
    "小狗 不肯 走 这 座 桥 因为 它 太 窄 了",
    "the the the the",
]
OTHERS = ["the narrow road over the narrow river and an unknown one", "nothing here", ""]
