# SPDX-License-Identifier: Apache-2.0
"""A running `alcove kbs serve`, for the tests in this folder."""
import json
import pathlib
import select
import signal
import subprocess

START_S = 20


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def expect_in(what, part, whole):
    if part not in whole:
        raise Failure(f"{what}: no {part!r} in {whole!r}")


class Broker:
    """Serves until the `with` block ends."""

    def __init__(self, alcove, folder, *words, rules=None):
        self.alcove, self.folder = alcove, pathlib.Path(folder)
        self.store = self.folder / "store.db"
        self.words = list(words)
        if rules is not None:
            policy = self.folder / "policy.json"
            policy.write_text(json.dumps({"rules": rules}), encoding="utf-8")
            self.words += ["--policy", str(policy)]

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.alcove, "kbs", "serve", "--store", str(self.store), "--listen", "127.0.0.1:0",
             *self.words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("serving "):
            self.process.kill()
            self.process.wait()
            raise Failure("the broker does not start")
        if "--accept-emulated" in self.words:
            expect_in("a warning", "takes emulated evidence", self.process.stderr.readline())
        self.url = line.split()[1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            code = self.process.wait(START_S)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.process.stderr.close()
        expect("the broker's exit code", code, 0)

    def reload(self):
        """Has it read its files again, and waits until it has said in one line how that went."""
        self.process.send_signal(signal.SIGHUP)
        ready, _, _ = select.select([self.process.stderr], [], [], START_S)
        if not ready:
            raise Failure("the broker does not say that it read its files again")
        return self.process.stderr.readline()

    def run_alone(self, *words):
        """A broker that does not start."""
        done = subprocess.run([self.alcove, "kbs", "serve", "--store", str(self.store), *words],
                              check=False, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr.decode()

    def run(self, *words):
        """Exit code, standard output and standard error of `alcove kbs ...` with this URL."""
        done = subprocess.run([self.alcove, "kbs", words[0], "--url", self.url, *words[1:]],
                              check=False, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr.decode()

    def audit(self):
        return subprocess.run([self.alcove, "kbs", "audit", str(self.store)], check=True,
                              capture_output=True, text=True, timeout=60).stdout


def run_cases(cases):
    """Runs each function; 0 when all pass."""
    failed = 0
    for case, arguments in cases:
        try:
            case(*arguments)
            print(f"ok    {case.__name__}")
        except (Failure, AssertionError, OSError, ValueError, KeyError,
                subprocess.SubprocessError) as problem:
            print(f"FAIL  {case.__name__}: {problem!r}")
            failed += 1
    print(f"{len(cases) - failed} of {len(cases)} passed")
    return 1 if failed else 0
