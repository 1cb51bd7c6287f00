"""Programs that try what the sandbox forbids, each with the word that `Ran.trouble` begins with."""

STOPPED = "stopped at the limit of "
PROGRAMS: dict[str, tuple[str, str]] = {
    "reads /etc/passwd": ("print(open('/etc/passwd').read())", "files"),
    "reads the home folder": ("import os; print(os.listdir(os.path.expanduser('~')), os.listdir('/root'))", "files"),
    "climbs out of its folder": ("print(open('/w/../../../../etc/passwd').read())", "files"),
    "opens a socket": ("import socket; socket.create_connection(('127.0.0.1', 80), timeout=1)", "network"),
    "listens": ("import socket; socket.socket().bind(('127.0.0.1', 0))", "network"),
    "starts a program": ("import subprocess; subprocess.run(['true'])", "process"),
    "starts a shell": ("import os; os.system('true')", "process"),
    "fork bomb": ("import os\nwhile True: os.fork()", "process"),
    "starts a thread": ("import threading; threading.Thread(target=print).start()", "thread"),
    "2 GB at once": ("kept = bytearray(2 << 30)", "memory"),
    "2 GB bit by bit": ("kept = []\nwhile True: kept.append(bytearray(1 << 20))", "memory"),
    "endless loop": ("while True: pass", STOPPED + "computing time"),
    "endless number": ("print(len(str(9 ** (9 ** 9))))", STOPPED + "computing time"),
    "prints 1 GB at once": ("print('0' * (1 << 30))", "memory"),
    "prints 60 MB at once": ("print('0' * 60_000_000)", STOPPED + "output"),
    "prints 1 GB in a loop": ("for _ in range(1000): print('0' * 1_000_000)", STOPPED + "output"),
    "complains without end": ("import sys\nwhile True: sys.stderr.write('no ' * 1000)", STOPPED + "output"),
    "writes outside": ("open('/tmp/canary', 'w').write('x')", "files"),
    "writes inside": ("open('/w/main.py', 'w').write('x')", "files"),
    "removes its own file": ("import os; os.remove('/w/main.py')", "files"),
    "recursion": ("def f(): return f()\nf()", "recursion"),
    "recursion beyond the limit": (
        "import sys; sys.setrecursionlimit(10 ** 9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())",
        "recursion",
    ),
    "does not parse": ("def f(:", "syntax"),
    "imports what is not there": ("import numpy", "import"),
    "exits with an error": ("import sys; sys.exit(3)", "error: exit code 3"),
    "claims that its time was up": ("import os; os._exit(251)", "error"),
}
SLEEPER = "import time; time.sleep(10 ** 6)"
