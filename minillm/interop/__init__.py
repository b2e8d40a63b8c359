"""Other programs' trained weights."""

from .bert_weights import read_bert
from .safetensors_file import SafeTensorsFile

__all__ = ["SafeTensorsFile", "read_bert"]
