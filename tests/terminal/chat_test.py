"""Talks to `sb3lm run --chat` on a pseudo-terminal: chat_test.py SB3LM CHECKPOINT

Ctrl-C during a reply stops it, at the prompt it does nothing, and /quit ends the program.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import time

kTimeout = 60


class Terminal:
    def __init__(self, command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=self.own_terminal, close_fds=True)
        os.close(slave)
        self.seen = ""

    @staticmethod
    def own_terminal():
        # Makes the terminal send its signals to this process.
        os.setsid()
        import fcntl
        import termios
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read_some(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                pass

    def wait_for(self, text, start=0):
        """The place behind `text`, looked for from `start` on."""
        end = time.monotonic() + kTimeout
        while text not in self.seen[start:]:
            if time.monotonic() > end or (self.process.poll() is not None and not self.more()):
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            self.read_some(0.2)
        return self.seen.index(text, start) + len(text)

    def more(self):
        before = len(self.seen)
        self.read_some(0.2)
        return len(self.seen) > before

    def type(self, text):
        os.write(self.master, text.encode())


def main():
    binary, checkpoint = sys.argv[1:]
    # Random words until the context is full: a reply that takes long enough to be stopped.
    terminal = Terminal([binary, "-q", "run", checkpoint, "--chat", "--engine", "double",
                         "--temperature", "1000", "--top-k", "0", "--top-p", "1",
                         "--max-new-tokens", "5000"])
    at = terminal.wait_for("> ")
    terminal.type("What is a dog?\n")
    at = terminal.wait_for("What is a dog?", at)
    while len(terminal.seen) < at + 20:
        terminal.read_some(0.2)
    terminal.type("\x03")
    at = terminal.wait_for("[stopped]", at)
    at = terminal.wait_for("> ", at)

    terminal.type("\x03")  # at the prompt: a new prompt
    at = terminal.wait_for("> ", at)
    terminal.type("/stats\n")
    at = terminal.wait_for("tokens said at", at)
    terminal.type("/reset\n")
    at = terminal.wait_for("[a new conversation]", at)
    terminal.type("/nothing\n")
    at = terminal.wait_for("there are /reset", at)
    terminal.type("/quit\n")
    terminal.wait_for("of memory]", at)
    code = terminal.process.wait(kTimeout)
    assert code == 0, code


if __name__ == "__main__":
    signal.alarm(3 * kTimeout)
    main()
