"""Tasks whose right answers are known: each is generated from a seed, in two sets that share nothing.

    from minillm.data.tasks import translation   # English and Chinese sentences, aligned
"""
