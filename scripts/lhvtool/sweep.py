"""A sweep: runs of many combinations of mask, build, CPUs, model and platform, each in a folder of its own."""

import itertools
import json
import re
import shutil
from argparse import Namespace
from dataclasses import dataclass

from . import arguments
from .problem import FAILED, INTERRUPTED, NO_VERDICT, PASSED, WRONG_USE, Problem

WORST = (PASSED, WRONG_USE, FAILED, NO_VERDICT, INTERRUPTED)     # the statuses of runs, from good to bad


# Options that one platform has for itself
OWN = {"machine": "kvm", "xmhf": "xmhf"}


@dataclass(frozen=True)
class Combination:
    """One run of a sweep."""

    on: str
    model: str | None
    arch: str
    cpus: int
    mask: int

    @property
    def name(self):
        """The name of its folder, such as bochs-haswell-amd64-2cpus-0x14."""
        model = re.sub(r"[^\w.]+", "_", self.model or "default")
        return f"{self.on}-{model}-{self.arch}-{self.cpus}cpu{'s' * (self.cpus > 1)}-{self.mask:#x}"

    def options(self, options):
        """The options of `lhv run` for it, from those of the sweep."""
        own = {name: getattr(options, name) if self.on == on else None for name, on in OWN.items()}
        return Namespace(**{**arguments.defaults(), **vars(options), **own, "on": self.on, "model": self.model, "arch": self.arch, "cpus": self.cpus,
                            "opt": f"{self.mask:#x}"})


def combinations(options, masks):
    """All combinations, those of one platform, model and number of CPUs together.

    Arguments: the options of the sweep; the masks.
    """
    return [Combination(on, model, arch, cpus, mask) for on, model, cpus, arch, mask
            in itertools.product(options.on, options.model, options.cpus, options.arch, masks)]


def possible(asked, masks):
    """The masks with what they need, each once, and what was done about it as sentences. Arguments: masks; masks.Masks."""
    complete = {mask: masks.complete(mask) for mask in asked}
    said = []
    if added := [mask for mask in complete if complete[mask] != mask]:
        example = added[0]
        said.append(f"{_masks(len(added))} completed with the bits that others need, such as {example:#x} to "
                    f"{complete[example]:#x} ({masks.names(complete[example])}).")
    once = list(dict.fromkeys(complete[mask] for mask in asked))
    if len(once) < len(asked):
        said.append(f"{_masks(len(asked) - len(once))} left out, because they are then the same as others.")
    return once, said


def _masks(count):
    return "1 mask is" if count == 1 else f"{count} masks are"


def shard(items, number, of):
    """The items of one of several shards, which take turns. Arguments: the items; which shard, from 1; how many there are."""
    return items[number - 1::of]


def earlier(folder, options):
    """The result.json of a combination that has run before, or None; what was left of an interrupted run is removed.

    Arguments: the combination's folder; its options. Error: Problem where the folder is of other options.
    """
    path = folder / "result.json"
    try:
        result = json.loads(path.read_text()) if path.exists() else {"verdict": "interrupted"}
        if result["verdict"] != "interrupted":
            if result["options"] != " ".join(arguments.kernel_options(options)) or result["memory_mib"] != arguments.memory(options):
                raise Problem(f"The folder {folder} has a result of other options: {result['options']}. Name another "
                              "folder with --out.")
            return result
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{path} is no result that can be read. Remove its folder, or name another one with --out.") from None
    if folder.exists():
        shutil.rmtree(folder)
    return None


def worst(results):
    """The worst status of results; that nothing was checked where there are none."""
    return max((result["status"] for result in results), key=WORST.index, default=WRONG_USE)
