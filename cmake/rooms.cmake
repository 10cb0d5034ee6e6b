# Rooms of src/layers.txt -> libraries. One static library per room, alc_<room>, linked to exactly the
# rooms that layers.txt names; freestanding rooms also become an object library enclave_<room>,
# compiled with the flags of the enclave image. Files are found inside the room only; `*.host` files
# are turned into C by tools/gen_host.py.

set(ALC_WARNINGS
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wswitch-enum -Wimplicit-fallthrough
    -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wcast-align -Wcast-qual -Wundef -Wformat=2
    -Wnull-dereference)
if(ALC_WERROR)
    list(APPEND ALC_WARNINGS -Werror)
endif()

# Every room is compiled for x86-64-v2 (SSE4.2): all processors with SGX have it, and it needs no VEX
# encoding, which an enclave with XFRM=3 may not use.
set(ALC_CODE_FLAGS
    -std=gnu11 -march=x86-64-v2 -fno-common -fno-strict-aliasing -ftrivial-auto-var-init=zero
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)
set(ALC_FREESTANDING_FLAGS -ffreestanding)
set(ALC_HOSTED_FLAGS -fstack-protector-strong -D_GNU_SOURCE)
# -mno-red-zone: exception entries of the enclave save state on their own stack, but step mode and
# the kernel's signal frames are simpler to reason about without it. The stack protector reads its
# guard from the enclave's own thread page.
# The same code whatever the build type: sanitizers and -Og are for the hosted libraries. Trusted code
# is made small, except where programs spend their time.
set(ALC_ENCLAVE_HOT_FILES "/crypto/gcm[.]c$")
set(ALC_ENCLAVE_FLAGS
    -Oz -fno-sanitize=all -ffreestanding -fPIE -fvisibility=hidden -fno-asynchronous-unwind-tables
    -ffunction-sections -fdata-sections -mno-red-zone -mno-avx -fcf-protection=none
    -fstack-protector-strong -mstack-protector-guard=tls -mstack-protector-guard-reg=fs
    -mstack-protector-guard-offset=40 -DALC_ENCLAVE=1)
# Rooms that are compiled for size alone: what functions have in common becomes functions of its own.
# Only clang can (its outliner). Not in files where programs spend their time.
set(ALC_ENCLAVE_OUTLINED_ROOMS attest attested broker broker_keys enclave evidence exec hostcall judge native native_exec
    services wasi wasm workload)
set(ALC_ENCLAVE_FAST_FILES
    "/enclave/memory_functions[.]c$|/exec/interp[.]c$|/native/(verifier|x86_decode)[.]c$")
# Rooms in which a chain of comparisons is smaller than a table for each `switch`.
set(ALC_ENCLAVE_CHAINED_ROOMS base enclave host hostcall native native_exec wasi workload)
set(ALC_ENCLAVE_OUTLINED_FLAGS)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(ALC_ENCLAVE_OUTLINED_FLAGS "SHELL:-mllvm -enable-machine-outliner=always")
endif()
# Rooms whose locals are numbers and structures of fixed size, filled through typed pointers: there a
# guard for functions with byte buffers is enough. Of those, rooms that give nothing to the outside by
# themselves need no zeroed locals either (docs/decisions/0009).
set(ALC_ENCLAVE_FEW_GUARDS wasm exec native native_exec base host workload wasi)
set(ALC_ENCLAVE_INNER wasm exec native native_exec)


# Rooms that only images which name them carry: crypto/ and what stands on it.
set(ALC_ENCLAVE_NAMED_ROOMS crypto)
# Rooms that cannot be built here, with those that use them; the reason is printed once.
set(ALC_MISSING_ROOMS)
# Debian's llvm-19 has llvm-config-19 and no headers: those, and the name to link with, are in llvm-19-dev.
find_path(ALC_LLVM_INCLUDE llvm-c/Core.h PATHS /usr/lib/llvm-19/include NO_DEFAULT_PATH)
find_library(ALC_LLVM_LIBRARY LLVM-19 PATHS /usr/lib/llvm-19/lib NO_DEFAULT_PATH)
if(NOT ALC_LLVM_INCLUDE OR NOT ALC_LLVM_LIBRARY)
    message(STATUS "llvm-19-dev not found: no compiler of native code is built")
    list(APPEND ALC_MISSING_ROOMS compiler)
endif()
find_package(CURL 7.85)
find_library(ALC_JANSSON jansson)
find_path(ALC_JANSSON_INCLUDE jansson.h)
if(NOT CURL_FOUND OR NOT ALC_JANSSON OR NOT ALC_JANSSON_INCLUDE)
    message(STATUS "libcurl or jansson not found: nothing fetches collateral, no witness uses etcd")
    list(APPEND ALC_MISSING_ROOMS cli_collateral witness_etcd)
endif()
find_path(ALC_SQLITE_INCLUDE sqlite3.h)
find_library(ALC_SQLITE_LIBRARY sqlite3)
if(NOT ALC_SQLITE_INCLUDE OR NOT ALC_SQLITE_LIBRARY)
    message(STATUS "SQLite not found: no witness service is built")
    list(APPEND ALC_MISSING_ROOMS witness_server)
endif()
include(${CMAKE_SOURCE_DIR}/cmake/mbedtls.cmake)
include(${CMAKE_SOURCE_DIR}/cmake/kbs.cmake)

file(STRINGS ${CMAKE_SOURCE_DIR}/src/layers.txt ALC_LAYER_LINES REGEX "^[a-z]")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/layers.txt)

# Generates C from one .host file and appends the names of the files made to `out_sources`.
function(alc_generate_host room host_file out_sources)
    get_filename_component(name ${host_file} NAME_WE)
    set(directory ${CMAKE_BINARY_DIR}/generated/${room})
    set(outputs ${directory}/${name}_host.c ${directory}/${name}_host.h)
    file(GLOB generator_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/gen_host.py
         ${CMAKE_SOURCE_DIR}/tools/host_*.py)
    add_custom_command(
        OUTPUT ${outputs}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${directory}
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/gen_host.py ${host_file} --output ${directory}
        DEPENDS ${host_file} ${generator_parts}
        COMMENT "generating ${room}/${name} from its .host rows")
    set(${out_sources} ${${out_sources}} ${outputs} PARENT_SCOPE)
endfunction()

function(alc_enclave_library name sources)
    add_library(${name} OBJECT EXCLUDE_FROM_ALL ${sources})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
                               ${CMAKE_BINARY_DIR}/generated)
    target_compile_definitions(${name} PRIVATE $<$<COMPILE_LANGUAGE:ASM>:ALC_ENCLAVE=1>)
    target_compile_options(${name} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:${ALC_WARNINGS} ${ALC_CODE_FLAGS} ${ALC_ENCLAVE_FLAGS} ${ARGN}>)
endfunction()

# A part of an enclave's room, for images that name no rooms.
function(alc_enclave_carry room name)
    if(NOT room IN_LIST ALC_ENCLAVE_NAMED_ROOMS)
        set_property(GLOBAL APPEND PROPERTY ALC_ENCLAVE_ROOMS ${name})
    endif()
endfunction()

function(alc_room room freestanding uses)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c
         ${CMAKE_SOURCE_DIR}/src/${room}/*.S)
    file(GLOB host_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.host)
    foreach(host_file ${host_files})
        alc_generate_host(${room} ${host_file} sources)
    endforeach()
    if(NOT sources)
        return()
    endif()
    # What runs only inside the enclave image is not part of any hosted program.
    if(NOT room MATCHES "^enclave")
        add_library(alc_${room} STATIC ${sources})
        target_include_directories(alc_${room} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
                                   ${CMAKE_BINARY_DIR}/generated)
        target_compile_options(alc_${room} PRIVATE $<$<COMPILE_LANGUAGE:C>:${ALC_WARNINGS} ${ALC_CODE_FLAGS}>)
        if(freestanding)
            target_compile_options(alc_${room} PRIVATE $<$<COMPILE_LANGUAGE:C>:${ALC_FREESTANDING_FLAGS}>)
        else()
            target_compile_options(alc_${room} PRIVATE $<$<COMPILE_LANGUAGE:C>:${ALC_HOSTED_FLAGS}>)
        endif()
        foreach(used ${uses})
            if(TARGET alc_${used})
                target_link_libraries(alc_${room} PUBLIC alc_${used})
            endif()
        endforeach()
    endif()
    if(freestanding)
        set(hot_sources ${sources})
        list(FILTER hot_sources INCLUDE REGEX ${ALC_ENCLAVE_HOT_FILES})
        list(FILTER sources EXCLUDE REGEX ${ALC_ENCLAVE_HOT_FILES})
        set(fast_sources ${sources})
        list(FILTER fast_sources INCLUDE REGEX ${ALC_ENCLAVE_FAST_FILES})
        list(FILTER sources EXCLUDE REGEX ${ALC_ENCLAVE_FAST_FILES})
        set(guards)
        if(room IN_LIST ALC_ENCLAVE_FEW_GUARDS)
            set(guards -fno-stack-protector -fstack-protector)
        endif()
        if(room IN_LIST ALC_ENCLAVE_INNER)
            list(APPEND guards -ftrivial-auto-var-init=uninitialized)
        endif()
        set(outlined)
        if(room IN_LIST ALC_ENCLAVE_OUTLINED_ROOMS)
            set(outlined ${ALC_ENCLAVE_OUTLINED_FLAGS})
        endif()
        if(room IN_LIST ALC_ENCLAVE_CHAINED_ROOMS)
            list(APPEND outlined -fno-jump-tables)
        endif()
        alc_enclave_library(enclave_${room} "${sources}" ${guards} ${outlined})
        alc_enclave_carry(${room} enclave_${room})
        if(hot_sources)
            alc_enclave_library(enclave_${room}_hot "${hot_sources}" -O2)
            alc_enclave_carry(${room} enclave_${room}_hot)
            add_dependencies(enclave_${room}_hot enclave_${room})
        endif()
        if(fast_sources)
            alc_enclave_library(enclave_${room}_fast "${fast_sources}" ${guards})
            alc_enclave_carry(${room} enclave_${room}_fast)
            add_dependencies(enclave_${room}_fast enclave_${room})
        endif()
        # Not for linking: headers generated in those rooms must be there first.
        foreach(used ${uses})
            if(TARGET enclave_${used})
                add_dependencies(enclave_${room} enclave_${used})
            endif()
        endforeach()
    endif()
endfunction()

foreach(line ${ALC_LAYER_LINES})
    string(REGEX MATCH "^([a-z_]+)(!?) *: *(.*)$" matched "${line}")
    if(NOT matched)
        message(FATAL_ERROR "src/layers.txt: cannot read \"${line}\"")
    endif()
    set(room ${CMAKE_MATCH_1})
    set(freestanding FALSE)
    if(CMAKE_MATCH_2 STREQUAL "!")
        set(freestanding TRUE)
    endif()
    string(REPLACE " " ";" uses "${CMAKE_MATCH_3}")
    set(optional_uses)
    foreach(word ${uses})
        string(REPLACE "?" "" used ${word})
        if(NOT used STREQUAL word)
            list(APPEND optional_uses ${used})
            continue()
        endif()
        if(used IN_LIST ALC_MISSING_ROOMS)
            list(APPEND ALC_MISSING_ROOMS ${room})
        endif()
        if(used IN_LIST ALC_ENCLAVE_NAMED_ROOMS)
            list(APPEND ALC_ENCLAVE_NAMED_ROOMS ${room})
        endif()
    endforeach()
    if(NOT room IN_LIST ALC_MISSING_ROOMS)
        string(REPLACE "?" "" uses "${uses}")
        alc_room(${room} ${freestanding} "${uses}")
        foreach(used ${optional_uses})
            if(TARGET alc_${room})
                string(TOUPPER ${used} name)
                set(has 0)
                if(TARGET alc_${used})
                    set(has 1)
                endif()
                target_compile_definitions(alc_${room} PRIVATE ALC_HAS_${name}=${has})
            endif()
        endforeach()
    endif()
endforeach()
alc_crypto_room()
if(TARGET alc_cli_collateral)
    target_include_directories(alc_cli_collateral SYSTEM PRIVATE ${ALC_JANSSON_INCLUDE})
    target_link_libraries(alc_cli_collateral PUBLIC CURL::libcurl ${ALC_JANSSON})
endif()
foreach(target alc_services enclave_services)
    if(TARGET ${target})
        target_compile_definitions(${target} PRIVATE ALC_VERSION="${PROJECT_VERSION}")
    endif()
endforeach()
alc_kbs_room()
alc_channel_room()

if(TARGET alc_compiler)
    target_include_directories(alc_compiler SYSTEM PUBLIC ${ALC_LLVM_INCLUDE})
    target_link_libraries(alc_compiler PUBLIC ${ALC_LLVM_LIBRARY} pthread)
endif()

if(TARGET alc_witness_server)
    target_link_libraries(alc_witness_server PUBLIC ${ALC_SQLITE_LIBRARY})
endif()
if(TARGET alc_witness_etcd)
    target_include_directories(alc_witness_etcd SYSTEM PRIVATE ${ALC_JANSSON_INCLUDE})
    target_link_libraries(alc_witness_etcd PUBLIC CURL::libcurl ${ALC_JANSSON})
endif()

set(ALC_NATIVE_UNIT_TESTS test_gc test_exceptions test_linking test_atomic test_traps)

# `engine`: the folder of tests/unit/engines that says what runs modules.
function(alc_unit_test target name source engine)
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests
                               ${CMAKE_SOURCE_DIR}/tests/unit/engines/${engine})
    target_compile_options(${target} PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
    target_link_libraries(${target} PRIVATE ${ARGN} alc_test_support cmocka)
    add_test(NAME ${name} COMMAND ${target})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60 LABELS unit)
endfunction()

# Unit tests: tests/unit/<room>/test_<file>.c, one cmocka program each, linked to its room and to
# what ALC_UNIT_TEST_LIBRARIES_<room> names.
set(ALC_UNIT_TEST_LIBRARIES_crypto OpenSSL::Crypto pthread)
set(ALC_UNIT_TEST_LIBRARIES_voucher alc_keys)
set(ALC_UNIT_TEST_LIBRARIES_attest OpenSSL::Crypto)
set(ALC_UNIT_TEST_LIBRARIES_services alc_os_linux)
set(ALC_UNIT_TEST_LIBRARIES_mounts alc_os_linux)
set(ALC_UNIT_TEST_LIBRARIES_sgx pthread)
set(ALC_UNIT_TEST_LIBRARIES_sgx_emu_quote alc_attest OpenSSL::Crypto)
set(ALC_UNIT_TEST_LIBRARIES_broker OpenSSL::Crypto)
set(ALC_UNIT_TEST_LIBRARIES_broker_keys alc_os_linux OpenSSL::Crypto)
set(ALC_UNIT_TEST_LIBRARIES_channel OpenSSL::Crypto OpenSSL::SSL pthread)
set(ALC_UNIT_TEST_LIBRARIES_attested alc_os_linux OpenSSL::Crypto pthread)
# Compiled code needs a system that delivers its faults.
set(ALC_UNIT_TEST_LIBRARIES_native_exec alc_native_linux)
function(alc_unit_tests)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*/test_*.c)
    foreach(test ${tests})
        get_filename_component(name ${test} NAME_WE)
        get_filename_component(directory ${test} DIRECTORY)
        get_filename_component(room ${directory} NAME)
        if(NOT TARGET alc_${room})
            continue()
        endif()
        alc_unit_test(unit_${room}_${name} unit/${room}/${name} ${test} interpreter alc_${room}
                      ${ALC_UNIT_TEST_LIBRARIES_${room}})
    endforeach()
    # Tests of exec/ that hold for every executor, through compiled code.
    if(TARGET alc_compiler)
        foreach(name ${ALC_NATIVE_UNIT_TESTS})
            alc_unit_test(unit_compiled_${name} unit/compiled/${name}
                          ${CMAKE_SOURCE_DIR}/tests/unit/exec/${name}.c native
                          alc_compiler alc_native_linux)
        endforeach()
    endif()
endfunction()
