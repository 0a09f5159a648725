"""Reads the rules and the planted faults out of a kernel's ELF file, where the linker collected them."""

import struct
from dataclasses import asdict, dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from .problem import Problem

# struct rule: id, title, sdm, test, row; class, cpus; needs, opt. struct fault: name, what, caught_by, shows, touches.
RULE = {64: "<5Q2I2Q", 32: "<5I2I2Q"}
POINTER = {64: "<Q", 32: "<I"}
MASK = "<Q"                   # a mask of LHV_OPT, in either
FAULT_POINTERS = 5


@dataclass(frozen=True)
class Rule:
    """One rule of the image."""

    id: str
    title: str
    sdm: str
    cls: str
    needs: tuple              # names of the capabilities
    opt: tuple                # names of the LHV_OPT bits that select it
    opt_mask: int
    cpus: str

    def as_json(self):
        """The rule as it stands in `scripts/lhv list --format json`."""
        return {"id": self.id, "title": self.title, "sdm": self.sdm, "class": self.cls,
                "needs": list(self.needs), "opt": list(self.opt),
                "opt_mask": f"{self.opt_mask:#x}", "cpus": self.cpus}


@dataclass(frozen=True)
class Fault:
    """One fault that can be planted in the kernel, and what it does to the rules: see lhv-kernel/harness/fault.h."""

    name: str
    what: str
    caught_by: str
    shows: str
    touches: str

    def as_json(self):
        """The fault as it stands in `scripts/lhv faults --format json`."""
        return asdict(self)


@dataclass(frozen=True)
class Option:
    """One bit of LHV_OPT."""

    name: str
    mask: int                 # the bit
    needs: int                # the bits without which it makes no sense


class Image:
    """A kernel's ELF file, with its symbols and its memory."""

    def __init__(self, path):
        """Error: Problem when the file is not there or is no ELF file with symbols."""
        try:
            with open(path, "rb") as file:
                elf = ELFFile(file)
                self.bits = elf.elfclass
                self._segments = [(s["p_vaddr"], s.data()) for s in elf.iter_segments("PT_LOAD")]
                self._symbols = {
                    symbol.name: (symbol["st_value"], symbol["st_size"])
                    for section in elf.iter_sections() if isinstance(section, SymbolTableSection)
                    for symbol in section.iter_symbols()}
        except OSError as error:
            raise Problem(f"{path} cannot be read: {error.strerror}. Run `make`.") from None
        except ELFError as error:
            raise Problem(f"{path} is not an ELF file that can be read: {error}") from None
        self.path = path

    def rules(self):
        """All rules of the image, in the order in which they run."""
        begin, end = self._symbol("rules_begin")[0], self._symbol("rules_end")[0]
        classes, cpus = self._names("rule_class_names"), self._names("rule_cpus_names")
        needs, options = self._names("need_names"), self._names("option_names")
        return [self._rule(address, classes, cpus, needs, options)
                for address in self._pointers(begin, end - begin)]

    def faults(self):
        """All faults that can be planted; none if the image was built without them."""
        if "faults" not in self._symbols:
            return []
        words = [self._text(address) for address in self._pointers(*self._symbol("faults"))]
        faults = zip(*(words[i::FAULT_POINTERS] for i in range(FAULT_POINTERS)))
        return [Fault(*fault) for fault in faults if fault[0]]

    def options(self):
        """All bits of LHV_OPT, from bit 0 up."""
        needs = self._words(MASK, *self._symbol("option_needs"))
        return [Option(name, 1 << bit, needs[bit]) for bit, name in enumerate(self._names("option_names"))]

    def rule_places(self):
        """id -> (address of its record, address of its test), of all rules."""
        layout = struct.Struct(RULE[self.bits])
        begin, end = self._symbol("rules_begin")[0], self._symbol("rules_end")[0]
        places = {}
        for record in self._pointers(begin, end - begin):
            rule_id, _, _, test, *_ = layout.unpack(self._bytes(record, layout.size))
            places[self._text(rule_id)] = record, test
        return places

    def address(self, name):
        """The address of a symbol. Error: Problem where there is none of that name."""
        return self._symbol(name)[0]

    def functions(self):
        """(name, address) of every symbol that has a place, by address."""
        return sorted(((name, address) for name, (address, _) in self._symbols.items() if name and address), key=lambda one: one[1])

    def function_at(self, address):
        """The function that holds an address, as "name+0x1d"; "" if there is none."""
        for name, (start, size) in self._symbols.items():
            if name and start <= address < start + size:
                return f"{name}+{address - start:#x}"
        return ""

    def _rule(self, address, classes, cpus, needs, options):
        layout = struct.Struct(RULE[self.bits])
        (rule_id, title, sdm, _test, _row, cls, cpu, need_bits, opt_bits) = layout.unpack(
            self._bytes(address, layout.size))
        return Rule(self._text(rule_id), self._text(title), self._text(sdm),
                    _at(classes, cls), _bits(needs, need_bits), _bits(options, opt_bits), opt_bits,
                    _at(cpus, cpu))

    def _symbol(self, name):
        if name not in self._symbols:
            raise Problem(f"{self.path} has no symbol {name}, so that its rules cannot be read.")
        return self._symbols[name]

    def _names(self, symbol):
        return [self._text(address) for address in self._pointers(*self._symbol(symbol))]

    def _pointers(self, address, size):
        return self._words(POINTER[self.bits], address, size)

    def _words(self, form, address, size):
        return [word for (word,) in struct.iter_unpack(form, self._bytes(address, size))]

    def _bytes(self, address, size):
        for base, data in self._segments:
            if base <= address and address + size <= base + len(data):
                return data[address - base:address - base + size]
        raise Problem(f"{self.path} points at {address:#x}, which it does not hold.")

    def _text(self, address):
        """The C string at an address; "" for a null pointer."""
        if not address:
            return ""
        for base, data in self._segments:
            if base <= address < base + len(data):
                start = address - base
                return data[start:data.index(b"\0", start)].decode()
        raise Problem(f"{self.path} points at {address:#x}, which it does not hold.")


def _at(names, index):
    return names[index] if index < len(names) and names[index] else str(index)


def _bits(names, mask):
    """The names of the bits that are set in a mask; "bit N" for one without a name."""
    return tuple((names[bit] if bit < len(names) else "") or f"bit {bit}"
                 for bit in range(mask.bit_length()) if mask >> bit & 1)


def rules_by_id(path):
    """The rules of an image by id; none if it cannot be read, because a run needs only titles."""
    try:
        return {rule.id: rule for rule in Image(path).rules()}
    except Problem:
        return {}
