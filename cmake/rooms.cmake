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
set(ALC_ENCLAVE_HOT_FILES "/enclave/memory_functions[.]c$")
set(ALC_ENCLAVE_FLAGS
    -Oz -fno-sanitize=all -ffreestanding -fPIE -fvisibility=hidden -fno-asynchronous-unwind-tables
    -ffunction-sections -fdata-sections -mno-red-zone -mno-avx -fcf-protection=none
    -fstack-protector-strong -mstack-protector-guard=tls -mstack-protector-guard-reg=fs
    -mstack-protector-guard-offset=40 -DALC_ENCLAVE=1)
# What is compiled for size alone: what functions have in common becomes functions of its own. Only
# clang can (its outliner); it is worth it where there are hundreds of like functions.
set(ALC_ENCLAVE_OUTLINED_FILES "/exec/interp_cold[.]c$|/exec/interp_vector[.]c$")
set(ALC_ENCLAVE_OUTLINED_FLAGS)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(ALC_ENCLAVE_OUTLINED_FLAGS "SHELL:-mllvm -enable-machine-outliner=always")
endif()
# Rooms whose locals are numbers and structures of fixed size, filled through typed pointers: there a
# guard for functions with byte buffers is enough. Of those, rooms that give nothing to the outside by
# themselves need no zeroed locals either (docs/decisions/0009).
set(ALC_ENCLAVE_FEW_GUARDS wasm exec base host workload)
set(ALC_ENCLAVE_INNER wasm exec)

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
    target_compile_options(${name} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:${ALC_WARNINGS} ${ALC_CODE_FLAGS} ${ALC_ENCLAVE_FLAGS} ${ARGN}>)
    set_property(GLOBAL APPEND PROPERTY ALC_ENCLAVE_ROOMS ${name})
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
    if(NOT room STREQUAL "enclave")
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
        set(outlined_sources ${sources})
        list(FILTER outlined_sources INCLUDE REGEX ${ALC_ENCLAVE_OUTLINED_FILES})
        list(FILTER sources EXCLUDE REGEX ${ALC_ENCLAVE_OUTLINED_FILES})
        set(guards)
        if(room IN_LIST ALC_ENCLAVE_FEW_GUARDS)
            set(guards -fno-stack-protector -fstack-protector)
        endif()
        if(room IN_LIST ALC_ENCLAVE_INNER)
            list(APPEND guards -ftrivial-auto-var-init=uninitialized)
        endif()
        alc_enclave_library(enclave_${room} "${sources}" ${guards})
        if(hot_sources)
            alc_enclave_library(enclave_${room}_hot "${hot_sources}" -O2)
            add_dependencies(enclave_${room}_hot enclave_${room})
        endif()
        if(outlined_sources)
            alc_enclave_library(enclave_${room}_outlined "${outlined_sources}" ${guards}
                                ${ALC_ENCLAVE_OUTLINED_FLAGS})
            add_dependencies(enclave_${room}_outlined enclave_${room})
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
    alc_room(${room} ${freestanding} "${uses}")
endforeach()

# Unit tests: tests/unit/<room>/test_<file>.c, one cmocka program each, linked to its room.
function(alc_unit_tests)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*/test_*.c)
    foreach(test ${tests})
        get_filename_component(name ${test} NAME_WE)
        get_filename_component(directory ${test} DIRECTORY)
        get_filename_component(room ${directory} NAME)
        if(NOT TARGET alc_${room})
            continue()
        endif()
        set(target unit_${room}_${name})
        add_executable(${target} ${test})
        target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
        target_compile_options(${target} PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
        target_link_libraries(${target} PRIVATE alc_${room} alc_test_support cmocka)
        add_test(NAME unit/${room}/${name} COMMAND ${target})
        set_tests_properties(unit/${room}/${name} PROPERTIES TIMEOUT 60 LABELS unit)
    endforeach()
endfunction()
