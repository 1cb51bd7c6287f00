"""Every error the collector raises on purpose.

    CollectorError           one sentence of what happened, one of what to do; exit code 1
    ├── ServerNotFound       nothing answers at the address
    │   └── ServerLoading    it answers that its model is not ready yet
    ├── TokenInvalid         no request can carry the API token
    ├── ServerBusy           another process measures the server
    ├── ModelUnclear         no model, or more than one, could be meant
    ├── EngineFailed         the embedded engine or its model could not be started
    ├── Unfit                a check failed that makes the numbers wrong
    ├── SuiteInvalid         a suite file is missing or contradicts itself
    ├── TableInvalid         a hand-kept CSV lacks a column, or holds what is none of its values
    ├── ImportFailed         a file of another tool cannot be imported
    ├── RunUnclear           no run, or more than one, could be meant
    ├── RunDamaged           a run file cannot be read
    ├── SandboxFailed        the sandbox for programs that models wrote cannot be had
    ├── KeyUnusable          the key that signs results, or the list of a folder's keys, cannot be read
    ├── NothingToVote        no two outputs are left to be judged
    ├── NobodyToAsk          a person has to answer, and input is no terminal
    ├── SystemRefused        the operating system would not do what nothing goes on without
    ├── OutputLost           standard output could not be written
    └── StoreFailed          a run file could not be written or read back
        └── RunRefused       the site's own reader would not take it

A request that fails while it is measured is no error: it is a row with `error_kind`. Any other exception is a bug
and keeps its traceback.
"""

import errno
from pathlib import Path


class CollectorError(Exception):
    """A mistake or a missing piece that the person can mend: what happened, and what to do about it."""

    def __init__(self, happened: str, remedy: str) -> None:
        super().__init__(f"{happened}\n{remedy}")
        self.happened = happened
        self.remedy = remedy


class ServerNotFound(CollectorError):
    """Nothing answers at the address."""


class ServerLoading(ServerNotFound):
    """A server answers that its model is not ready yet."""


class TokenInvalid(CollectorError):
    """No request can carry the API token as it stands in the environment."""


class ServerBusy(CollectorError):
    """Another process measures the server."""


class ModelUnclear(CollectorError):
    """No model, or more than one, could be meant."""


class EngineFailed(CollectorError):
    """The embedded engine or its model could not be started."""


class Unfit(CollectorError):
    """A check failed that makes the numbers wrong, and it was not forced."""


class SuiteInvalid(CollectorError):
    """A suite file is missing or contradicts itself."""


class StoreFailed(CollectorError):
    """A run file could not be written or read back. `path`: where it was written instead."""

    def __init__(self, happened: str, remedy: str, path: Path | None = None) -> None:
        super().__init__(happened, remedy)
        self.path = path


class RunRefused(StoreFailed):
    """The site's own reader would not take the run file. `is_size`: for its size alone."""

    def __init__(self, happened: str, remedy: str, is_size: bool) -> None:
        super().__init__(happened, remedy)
        self.is_size = is_size


class TableInvalid(CollectorError):
    """A hand-kept CSV lacks a column, or holds what is none of its values."""


class ImportFailed(CollectorError):
    """A file of another tool cannot be imported."""


class RunUnclear(CollectorError):
    """No run, or more than one, could be meant."""


class RunDamaged(CollectorError):
    """A run file cannot be read."""


class SandboxFailed(CollectorError):
    """The sandbox for programs that models wrote cannot be had."""


class KeyUnusable(CollectorError):
    """The key that signs results, or the list of a folder's keys, cannot be read or written."""


class NothingToVote(CollectorError):
    """No two outputs are left to be judged."""


class NobodyToAsk(CollectorError):
    """A person has to answer, and input is no terminal."""


class SystemRefused(CollectorError):
    """The operating system would not do what nothing goes on without."""


_REMEDIES = {
    errno.ENOSPC: "Make room on that disk",
    errno.EDQUOT: "Make room, or have your quota raised",
    errno.EROFS: "Mount that disk so that it can be written",
    errno.EACCES: "Mend its permissions",
    errno.EPERM: "Mend its permissions",
    errno.EMFILE: "Close what holds files open, or raise `ulimit -n`",
    errno.ENFILE: "Close what holds files open",
    errno.ENOMEM: "Close what takes memory",
    errno.EIO: "See whether that disk is sound",
}


def refused(error: OSError) -> SystemRefused:
    """An error of the operating system as a sentence, and what helps."""
    where = f" ({error.filename})" if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "See what is there")
    return SystemRefused(
        f"The system refused: {error.strerror or error}{where}.",
        f"{remedy}, then run it again; what was measured until now is kept.",
    )


class OutputLost(CollectorError):
    """Standard output could not be written."""
