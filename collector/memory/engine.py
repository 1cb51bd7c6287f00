"""Which processes hold the model."""

import psutil


def listening_pid(port: int) -> int | None:
    """The process of ours that listens on `port`; None when there is none we may look into."""
    for process in psutil.process_iter():
        try:
            sockets = process.net_connections(kind="tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets):
            return int(process.pid)
    return None


def tree(pid: int) -> list[psutil.Process]:
    """The process and all its descendants that still live."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
