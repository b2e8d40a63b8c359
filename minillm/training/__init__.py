"""Optimizers, learning-rate schedules, the training loop and checkpoints."""

from ..models.checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from ..threads import cores
from .evaluation import Evaluation, evaluate
from .optimizers import SGD, Adam, AdamW, Lion, Muon, Optimizer, RMSProp
from .schedules import constant, cosine, inverse_sqrt, linear, warmup_stable_decay
from .trainer import Trainer
from .workers import Workers

__all__ = [
    "SGD", "Adam", "AdamW", "Checkpoint", "Evaluation", "Lion", "Muon", "Optimizer", "RMSProp",
    "Trainer", "Workers", "constant", "cores", "cosine", "evaluate", "inverse_sqrt", "linear",
    "load_checkpoint", "load_model", "save_checkpoint", "warmup_stable_decay",
]
