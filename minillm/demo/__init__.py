"""A web page on which the models that come along, or one of yours, write, translate and fill gaps.

``minillm demo`` starts it; it needs ``pip install minillm[demo]``, which brings Streamlit. Read
``answers.py`` first: what the page computes, without the page.
"""
