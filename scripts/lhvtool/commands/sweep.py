"""`lhv sweep`: runs with many masks, builds, CPU counts, models and platforms."""

import argparse
import os
import time
from pathlib import Path

from .. import arguments, kvm, platforms, run, several, show, sweep
from ..catalogue import Image
from ..masks import Masks
from ..problem import INTERRUPTED, Problem


def register(commands):
    """Adds the command."""
    add = commands.add("sweep", command, "Runs combinations of masks, builds, CPU counts, models and platforms.").add_argument
    add("--opt", default="single", metavar="MASKS", help="masks such as 0x1fc,ept+vpid; single and pairs: every one and every "
        "two of the first fourteen bits; all-single and all-pairs: of all bits (default: single)")
    add("--on", type=words_of(platforms.CLASSES), default=["bochs"], metavar="NAMES", help="platforms (default: bochs)")
    add("--arch", type=words_of(arguments.ARCHES), default=["amd64"], metavar="NAMES", help="builds (default: amd64)")
    add("--cpus", type=numbers, default=[2], metavar="NUMBERS", help="CPUs, such as 1,2,4 (default: 2)")
    add("--model", type=lambda text: text.split(","), default=[None], metavar="NAMES", help="CPU models of the platforms")
    add("--machine", choices=tuple(kvm.MACHINES), help="with --on kvm, the machine of QEMU (default: q35)")
    arguments.add_memory(add)
    arguments.add_xmhf(add)
    add("--timeout", type=arguments.number(1), metavar="S", help="seconds of silence after which a machine counts as hung")
    add("--out", metavar="DIR", help="the folder for the runs' folders (default: a new one in build/sweep); combinations "
        "that have a result in it are not run again")
    add("--shard", type=shard, default=(1, 1), metavar="I/N", help="only the I-th of N parts, for N machines")
    add("-j", "--jobs", type=arguments.number(1), default=len(os.sched_getaffinity(0)), metavar="N",
        help="runs at a time (default: as many as there are CPUs)")
    arguments.add_rules(add)


def words_of(known):
    """A parser of lists of known words, for argparse."""
    def parse(text):
        for word in text.split(","):
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}.")
        return list(dict.fromkeys(text.split(",")))
    return parse


def numbers(text):
    """A list of numbers of CPUs, for argparse."""
    parse = arguments.number(1, arguments.MAX_CPUS)
    return list(dict.fromkeys(parse(word) for word in text.split(",")))


def shard(text):
    """I/N as two numbers, for argparse."""
    number, slash, of = text.partition("/")
    if not (slash and number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form I/N, such as 1/4 for the first of four parts.")
    return int(number), int(of)


def command(options):
    """Does it. Result: the worst exit status of the runs."""
    out = show.console()
    images = {arch: Image(options.build / arch / "lhv.elf") for arch in options.arch}
    rules = {arch: {rule.id: rule for rule in image.rules()} for arch, image in images.items()}
    masks = Masks(images[options.arch[0]].options())
    wanted, said = sweep.possible(masks.listed(options.opt), masks)
    for sentence in said:
        out.print(sentence, markup=False)
    every = sweep.combinations(options, wanted)
    mine = sweep.shard(every, *options.shard)
    if not mine:
        raise Problem(f"This shard has nothing to do: there are {len(every)} combinations only.")
    folder = _folder(options)
    results = {one: found for one in mine if (found := sweep.earlier(folder / one.name, one.options(options)))}
    part = f", of which this shard has {len(mine)}" if len(mine) < len(every) else ""
    before = f", {len(results)} of which have a result already" if results else ""
    out.print(f"{len(every)} combinations{part}{before}; {options.jobs} at a time.")
    began, done = time.monotonic(), 0
    interrupted = False
    with several.Machines(options.jobs) as machines:
        def go(platform, one):
            return machines.run(platform, one.options(options), folder / one.name, rules[one.arch]).as_json()
        try:
            for one, result in machines.each([(one, one.options(options)) for one in mine if one not in results], go):
                results[one], done = result, done + len(result["boots"])
                out.print(f"{len(results):4} of {len(mine)}  {one.name}  {result['verdict']}", markup=False)
        except KeyboardInterrupt:
            interrupted = True
    minutes = (time.monotonic() - began) / 60
    show.sweep_table(out, [(one.name, masks.names(one.mask), results[one]) for one in mine if one in results])
    rate = f", {done / minutes:.1f} boots per minute" if done else ""
    out.print(f"{len(results)} of {len(mine)} combinations have a result{rate}. They are in {show.relative(folder)}.", markup=False)
    if interrupted:
        out.print("The sweep was interrupted, and the emulators were ended. The same command with "
                  f"--out {show.relative(folder)} goes on.", markup=False)
    return INTERRUPTED if interrupted else sweep.worst(results.values())


def _folder(options):
    if not options.out:
        return run.new_folder(options.build / "sweep")
    try:
        folder = Path(options.out)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError as error:
        raise Problem(f"The sweep's folder cannot be made: {error}.") from None

