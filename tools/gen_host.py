#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns one .host file into C, or into its reference page.

    gen_host.py FILE --output DIR    writes DIR/<stem>_host.c and DIR/<stem>_host.h
    gen_host.py FILE --docs          prints Markdown

host_rows reads the rows; host_guest emits what guests import, host_boundary what an enclave asks of
its host. Each emitter offers emit(host_file, stem) -> (C text, header text) and docs(host_file).
"""
import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import host_rows  # noqa: E402

EMITTERS = {"module": "host_guest", "boundary": "host_boundary"}


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main():
    parser = argparse.ArgumentParser(description="generate C or documentation from a .host file")
    parser.add_argument("file")
    parser.add_argument("--output", metavar="DIR", help="folder for the generated C")
    parser.add_argument("--docs", action="store_true", help="print the reference page")
    arguments = parser.parse_args()
    if not arguments.output and not arguments.docs:
        parser.error("one of --output and --docs is needed")
    try:
        host_file = host_rows.read_host_file(arguments.file)
        emitter = importlib.import_module(EMITTERS[host_file.kind])
        if arguments.output:
            stem = os.path.basename(arguments.file).split(".")[0]
            source, header = emitter.emit(host_file, stem)
            write(os.path.join(arguments.output, stem + "_host.h"), header)
            write(os.path.join(arguments.output, stem + "_host.c"), source)
        if arguments.docs:
            sys.stdout.write(emitter.docs(host_file))
    except host_rows.HostError as error:
        sys.exit(f"gen_host: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
