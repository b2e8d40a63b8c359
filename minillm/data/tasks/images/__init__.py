"""Images with labels: drawn shapes, and real handwritten digits.

    from minillm.data.tasks import images
    pictures, labels = images.shapes(1000, seed=1)              # (1000, 16, 16) float32, (1000,)
    (train, labels), (test, answers) = images.digits()          # (1437, 8, 8), (360, 8, 8)
"""

from minillm.data.tasks.images.drawing import SHAPES, is_held, shapes
from minillm.data.tasks.images.handwriting import digits

__all__ = ["SHAPES", "digits", "is_held", "shapes"]
