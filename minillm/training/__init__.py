"""Optimizers, learning-rate schedules, the training loop and checkpoints."""

from ..models.checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from ..threads import cores
from .evaluation import Evaluation, evaluate
from .optimizers import AdamW
from .schedules import constant, cosine, linear
from .trainer import Trainer
from .workers import Workers

__all__ = [
    "AdamW", "Checkpoint", "Evaluation", "Trainer", "Workers", "constant", "cores", "cosine",
    "evaluate", "linear", "load_checkpoint", "load_model", "save_checkpoint",
]
