"""Other people's files, which are not trusted. Read ``any_file.py`` first: which file is it?

Every reader returns ``Stages``; writers stand beside their readers; ``untrusted.py`` has the checks.
"""
