"""Several machines at a time: a run in each of some threads, each on a platform object that no other uses meanwhile."""

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from . import arguments, known, machine, run


class Machines:
    """Platform objects that are kept from one run to the next, for those that keep an outer machine running."""

    def __init__(self, jobs):
        """Argument: how many runs at a time."""
        machine.interrupted.clear()
        self._jobs = jobs
        # for as long as there are machines: an emulator ends with the thread that started it
        self._pool = ThreadPoolExecutor(jobs)
        self._idle = {}           # what tells one platform object from another -> those that nobody uses
        self._issues = known.load()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        machine.interrupted.set()
        self._pool.shutdown()
        for platform in sum(self._idle.values(), []):
            platform.close()

    def each(self, tasks, do):
        """Does all tasks and yields (task, result) as each is done.

        Arguments: a list of (task, options), with the options of `lhv run` that choose its platform; a function
        that takes a platform and a task. Tasks that can go on with an idle platform come first, then those on
        platforms that nobody uses. Errors: those of the function. A Ctrl-C ends the machines.
        """
        pending, running, busy = list(tasks), {}, Counter()
        while pending or running:
            while pending and len(running) < self._jobs:
                task, options = pending.pop(self._best(pending, busy))
                busy[_key(options)] += 1
                running[self._pool.submit(self._lent, options, do, task)] = task, _key(options)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, key = running.pop(future)
                busy[key] -= 1
                yield task, future.result()

    def run(self, platform, options, folder, catalogue):
        """One run with the options of `lhv run` in a folder, without a word. Returns its concluded Report."""
        platform.kernel = arguments.kernel(options).resolve()
        words = arguments.kernel_options(options)
        folder.mkdir(parents=True, exist_ok=True)
        timeout = options.timeout or platform.silence
        report = run.run(platform, options.arch, words, timeout, folder, list(catalogue), lambda *_: None)
        report.conclude(known.covering(self._issues, platform, options.arch), catalogue)
        run.write_files(report, folder, arguments.repeater(options))
        return report

    def _best(self, pending, busy):
        keys = [_key(options) for _, options in pending]
        rank = lambda place: 0 if self._idle.get(keys[place]) else 1 if not busy[keys[place]] else 2
        return min(range(len(pending)), key=rank)

    def _lent(self, options, do, task):
        """Does a task on an idle platform, or on a new one."""
        idle = self._idle.setdefault(_key(options), [])
        platform = idle.pop() if idle else arguments.platform(options)
        try:
            return do(platform, task)
        finally:
            idle.append(platform)


def _key(options):
    """What tells one platform object from another.

    A build is no part of it where it only chooses the kernel, as on KVM and Xen, whose Linux then serves all.
    """
    build = options.arch if options.on == "xmhf" else None
    return options.on, options.machine, options.xmhf, build, options.model, options.cpus, options.memory
