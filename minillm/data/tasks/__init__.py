"""Tasks whose right answers are known. Each is drawn from a seed, in two sets that share nothing.

    from minillm.data.tasks import translation   # English and Chinese sentences, aligned
    from minillm.data.tasks import cloze         # sentences that determine one of their words
    from minillm.data.tasks import copying       # symbols to be repeated at a chosen distance
    from minillm.data.tasks import in_context    # a function shown by examples, then asked
    from minillm.data.tasks import sentiment     # opinions with "not" and "but"
    from minillm.data.tasks import requests      # small jobs on words, half of them to be refused
    from minillm.data.tasks import images        # drawn shapes, handwritten digits
"""
