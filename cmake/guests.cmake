# SPDX-License-Identifier: Apache-2.0
# Programs of the tests that are compiled for WebAssembly, by the system's clang and C library for WASI.

find_program(ALC_GUEST_CLANG NAMES clang-19 clang)
set(ALC_HAS_GUESTS FALSE)
if(ALC_GUEST_CLANG AND EXISTS /usr/include/wasm32-wasi/wasi/api.h)
    set(ALC_HAS_GUESTS TRUE)
else()
    message(STATUS "clang or wasi-libc not found (tools/bootstrap test): no programs of the tests are built")
endif()

# alc_guest(out_built tests/FOLDER/guests/NAME.c [other sources that it depends on…]) makes
# tests/FOLDER/NAME.wasm in the build folder and appends its path to `out_built`.
function(alc_guest out_built source)
    get_filename_component(name ${source} NAME_WE)
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(folder ${folder} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    set(guest tests/${folder}/${name})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${folder})
    add_custom_command(
        OUTPUT ${CMAKE_BINARY_DIR}/${guest}.wasm
        COMMAND ${ALC_GUEST_CLANG} --target=wasm32-wasi -O2 -Wall -Wextra -Werror ${source}
                -o ${CMAKE_BINARY_DIR}/${guest}.wasm
        DEPENDS ${source} ${ARGN}
        COMMENT "compiling ${guest} for WebAssembly")
    list(APPEND ${out_built} ${CMAKE_BINARY_DIR}/${guest}.wasm)
    set(${out_built} ${${out_built}} PARENT_SCOPE)
endfunction()
