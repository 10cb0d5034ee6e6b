#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds an enclave image a second time, from a copy of the sources in another folder and in a
build folder of another depth, and compares the bytes with those of this build.

arguments: source folder, image of this build, its target, a folder for the second build,
           then the CMake options that this build was configured with
"""
import hashlib
import os
import shutil
import subprocess
import sys

COPIED = ["CMakeLists.txt", "cmake", "src", "include", "tools"]


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def main():
    source, image, target, folder = sys.argv[1:5]
    options = sys.argv[5:]
    copy = os.path.join(folder, "some", "other place")
    build = os.path.join(folder, "out", "of", "tree")
    shutil.rmtree(folder, ignore_errors=True)
    for name in COPIED:
        origin = os.path.join(source, name)
        if os.path.isdir(origin):
            shutil.copytree(origin, os.path.join(copy, name))
        elif os.path.exists(origin):
            os.makedirs(copy, exist_ok=True)
            shutil.copy(origin, os.path.join(copy, name))
    subprocess.run(["cmake", "-G", "Ninja", "-S", copy, "-B", build, "-DALC_TESTS=OFF",
                    *options], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "--target", target + "_image"], check=True,
                   stdout=subprocess.DEVNULL)
    first, second = digest(image), digest(os.path.join(build, target + ".sgxs"))
    print(f"here:      {first}\nelsewhere: {second}")
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if first == second else 1


if __name__ == "__main__":
    sys.exit(main())
