"""Other people's files, which are not trusted. Read ``any_file.py`` first: which file is it?

Every reader returns ``Stages``, writers stand beside their readers, and ``untrusted.py`` has the
checks that they share.
"""
