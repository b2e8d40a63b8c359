"""The special tokens that this package knows by name: of its commands, and of its storytellers."""

END = "<|endoftext|>"  # ends a document: GPT-2's, and of the tokenizers that train makes
EOD = "<eod>"  # the same, of the tokenizers that preprocess makes
SEP = "<sep>"  # between a title and its text
PAD = "<pad>"
