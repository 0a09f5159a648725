"""Masks of LHV_OPT on the runner's side: names, prerequisites, and the masks of a sweep."""

from itertools import combinations

from .problem import Problem

FIRST_BITS = 14               # those that the older LHV had


class Masks:
    """The bits of an image, as Image.options() lists them."""

    def __init__(self, bits):
        self.bits = bits

    def parse(self, text):
        """A mask from a number, or from names and numbers joined by "+", as the kernel takes it.

        Error: Problem for what is no mask.
        """
        mask = 0
        for word in text.split("+"):
            known = [bit.mask for bit in self.bits if bit.name.lower() == word.lower()]
            try:
                mask |= known[0] if known else 0 if word.lower() == "none" else int(word, 0)
            except ValueError:
                raise Problem(f"{word!r} is no option of the mask and no number. `scripts/lhv list` shows the "
                              "options, README.md what they mean.") from None
        if mask < 0 or mask >> len(self.bits):
            raise Problem(f"{text} has bits that are no option: the known bits are {(1 << len(self.bits)) - 1:#x}.")
        return mask

    def names(self, mask):
        """The mask in names, such as "EPT+VPID"."""
        return "+".join(bit.name for bit in self.bits if bit.mask & mask) or "none"

    def split(self, mask):
        """The mask as a list of its bits."""
        return [bit.mask for bit in self.bits if bit.mask & mask]

    def complete(self, mask):
        """The mask with the bits that its bits need."""
        while lacking := [bit.needs for bit in self.bits if bit.mask & mask and bit.needs & ~mask]:
            mask |= lacking[0]
        return mask

    def possible(self, mask):
        """The mask without the bits that need others which it lacks."""
        while impossible := sum(bit.mask for bit in self.bits if bit.mask & mask and bit.needs & ~mask):
            mask &= ~impossible
        return mask

    def listed(self, text):
        """The masks of a list such as "0x4,ept+vpid,pairs".

        Words: a mask; "single" and "pairs" are every one and every two of the first fourteen bits, "all-single"
        and "all-pairs" of all. Result: the masks as they were asked for, in order. Errors: Problem.
        """
        masks = []
        for word in text.split(","):
            scope = self.bits if word.startswith("all-") else self.bits[:FIRST_BITS]
            if word.removeprefix("all-") in ("single", "pairs"):
                size = 2 if word.endswith("pairs") else 1
                masks += [sum(bit.mask for bit in some) for some in combinations(scope, size)]
            else:
                masks.append(self.parse(word))
        return masks
