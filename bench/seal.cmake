# SPDX-License-Identifier: Apache-2.0
# Sealed storage against the plain mount: bench/seal_bench.c, by hand.
find_path(ALC_SQLITE_INCLUDE sqlite3.h)
find_library(ALC_SQLITE_LIBRARY sqlite3)
if(TARGET alc_seal AND ALC_SQLITE_INCLUDE AND ALC_SQLITE_LIBRARY)
    add_executable(seal_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/seal_bench.c
                   ${CMAKE_SOURCE_DIR}/tests/seal/sqlite_vfs.c)
    target_include_directories(seal_bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/seal)
    target_compile_options(seal_bench PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
    target_link_libraries(seal_bench PRIVATE alc_seal alc_os_linux alc_test_support
                          ${ALC_SQLITE_LIBRARY} pthread)
endif()
