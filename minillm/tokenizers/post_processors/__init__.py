"""What is added around a text. Read ``templates.py`` first; ``lengths.py`` truncates and fills up."""
