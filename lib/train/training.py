"""How long a network is trained, and which of its weights are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib.errors import HeldoutError
from lib.train.augmentation import require_augmentation

KEEP = ("best", "last", "average")
# The share of the epochs whose weights are averaged.
AVERAGED = 0.25


@dataclass(frozen=True)
class Training:
    """How long and under which rules a network is trained.

    Attributes
    ----------
    epochs : int
        At most.
    early_stopping : int
        Epochs without a better validation loss before training stops; 0 never stops early.
    reduce_lr_factor : float
        What the learning rate is multiplied by on a plateau of the validation loss; 1 for never.
        A trial whose `schedule` sets the rate of every step has no plateaus.
    reduce_lr_patience : int
        Epochs without a better validation loss that make a plateau.
    keep : {"best", "last", "average"}
        Which weights are kept: those of the epoch with the lowest validation loss, those of the
        last epoch, or the mean of those after each of the last `AVERAGED` of all epochs.
    augmentation : mapping
        What is done to the examples of the train part, epoch by epoch anew, and how much: see
        `lib.train.augmentation.AUGMENTATIONS`.
    undersampling : float
        How many times the examples of all other classes together an epoch has of the largest class
        at most, drawn anew for each epoch; 0 for all of them.
    refit : bool
        Whether a network that has been judged on the validation part is trained anew on the train
        and validation parts together, in as many epochs, before it predicts the test part.
    seconds : float, optional
        Training ends with the epoch in which so much time (s) has been spent in epochs. How many
        these are depends on the machine, so the weights do too.

    Raises
    ------
    HeldoutError
        An unknown `keep` or augmentation, an average of epochs that early stopping or a limit in
        seconds may leave out, or a `refit` of a training that the validation part steers.
    """

    epochs: int
    early_stopping: int = 0
    reduce_lr_factor: float = 1.0
    reduce_lr_patience: int = 2
    keep: str = "best"
    augmentation: Mapping[str, float] = field(default_factory=dict)
    undersampling: float = 0.0
    refit: bool = False
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.keep not in KEEP:
            raise HeldoutError("training.keep", f"one of {', '.join(KEEP)}", repr(self.keep))
        for name in ("early_stopping", "seconds") if self.keep == "average" else ():
            if getattr(self, name):
                raise HeldoutError(
                    "training.keep",
                    f"no `{name}` beside `average`, which takes the last epochs of all",
                    f"{name}: {getattr(self, name)}",
                    f"Remove {name}, or keep the best or the last weights.",
                )
        steered = {
            "keep": self.keep == "best",
            "early_stopping": self.early_stopping,
            "reduce_lr_factor": self.reduce_lr_factor != 1,
            "seconds": self.seconds is not None,
        }
        for name in [name for name, steers in steered.items() if self.refit and steers]:
            raise HeldoutError(
                "training.refit",
                "a fixed number of epochs, whose last weights or average are kept: once it is "
                "trained on, the validation part cannot steer a training",
                f"{name}: {getattr(self, name)}",
                "Keep the last or the average weights and remove the others, or remove refit.",
            )
        require_augmentation(self.augmentation)

    def spent(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Whether the epochs so far have taken all the time there is."""
        return self.seconds is not None and sum(row["seconds"] for row in history) >= self.seconds

    def averages(self, epoch: int) -> bool:
        """Whether the weights after an epoch, from 1, are among those that are averaged."""
        return self.keep == "average" and epoch > self.epochs - math.ceil(AVERAGED * self.epochs)
