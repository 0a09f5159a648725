"""What stops the runner before there is a verdict, and the program's exit statuses."""

PASSED = 0        # every rule passed, was skipped for a reason, or failed as a known issue says
FAILED = 1        # a rule failed, or a known issue did not show
WRONG_USE = 2     # wrong use, missing set-up, or nothing could be checked
NO_VERDICT = 3    # the platform died or hung, and the rest could not be run either
INTERRUPTED = 130


class Problem(Exception):
    """A complete sentence for the user, and the exit status that goes with it."""

    def __init__(self, sentence, status=WRONG_USE):
        super().__init__(sentence)
        self.status = status
