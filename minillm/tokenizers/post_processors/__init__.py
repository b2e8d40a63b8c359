"""What is added around a text. Read ``templates.py`` first; ``lengths.py`` cuts and fills up."""
