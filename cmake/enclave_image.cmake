# SPDX-License-Identifier: Apache-2.0
# Enclave images: the freestanding rooms and a main function -> ELF file -> SGXS image -> signature ->
# an object that carries both. The image depends only on sources and compiler, never on folders, so
# two builds give the same MRENCLAVE. The signature is a development one: its key is made once per build
# folder and never leaves it.

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
foreach(room sgx keys kbs)
    if(TARGET alc_${room})
        target_link_libraries(alc_${room} PUBLIC OpenSSL::Crypto)
    endif()
endforeach()

add_executable(alcove-image tools/alcove_image.c)
target_compile_options(alcove-image PRIVATE ${ALC_WARNINGS} ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS})
target_link_libraries(alcove-image PRIVATE alc_sgx)

set(ALC_SIGNING_KEY ${CMAKE_BINARY_DIR}/enclave_dev_key.pem)
add_custom_command(
    OUTPUT ${ALC_SIGNING_KEY}
    COMMAND alcove-image key ${ALC_SIGNING_KEY}
    DEPENDS alcove-image
    COMMENT "making a development signing key")
add_custom_target(enclave_dev_key DEPENDS ${ALC_SIGNING_KEY})

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(ALC_ENCLAVE_LINKER -fuse-ld=bfd)
else()
    # Functions with the same body become one where nobody compares their addresses.
    set(ALC_ENCLAVE_LINKER -fuse-ld=lld -Wl,--icf=safe)
endif()
set(ALC_ENCLAVE_LINK_FLAGS
    ${ALC_ENCLAVE_LINKER} -fno-sanitize=all -nostdlib -static-pie
    -Wl,-T,${CMAKE_SOURCE_DIR}/cmake/enclave.ld -Wl,--gc-sections -Wl,--no-undefined
    -Wl,-z,pack-relative-relocs -Wl,-z,norelro -Wl,-z,noexecstack -Wl,-z,text -Wl,--no-dynamic-linker
    -Wl,--build-id=none -Wl,--fatal-warnings)

# The objects of the freestanding rooms, without the main functions of the runtime images: an image names its
# main among SOURCES.
function(alc_enclave_objects out rooms)
    if(NOT rooms)
        get_property(rooms GLOBAL PROPERTY ALC_ENCLAVE_ROOMS)
    else()
        list(TRANSFORM rooms PREPEND enclave_)
        foreach(room ${rooms})
            foreach(kind hot fast mbedtls)
                if(TARGET ${room}_${kind})
                    list(APPEND rooms ${room}_${kind})
                endif()
            endforeach()
        endforeach()
    endif()
    set(objects "")
    foreach(room ${rooms})
        list(APPEND objects $<FILTER:$<TARGET_OBJECTS:${room}>,EXCLUDE,/src/enclave[_a-z]*/main[_a-z]*[.]c[.]o$>)
    endforeach()
    set(${out} ${objects} PARENT_SCOPE)
endfunction()

# alc_enclave_image(NAME SOURCES file… [ROOMS room…] [EXTRA_ROOMS room…] [SYMBOL prefix] [THREADS n] [STACK_PAGES n]
#                   [ELRANGE_BITS n] [DEBUG] [DEFINITIONS …])
# makes, in the build folder, NAME.elf, NAME.map, NAME.sgxs, NAME.sig and the object library
# NAME_embedded with
#   const uint8_t <prefix>_image[]; const uint64_t <prefix>_image_size;
#   const struct alc_sgx_sigstruct <prefix>_sigstruct;
# ROOMS: all freestanding ones but those of ALC_ENCLAVE_NAMED_ROOMS unless said otherwise. DEBUG: signed as a debuggable enclave.
function(alc_enclave_image name)
    cmake_parse_arguments(IMAGE "DEBUG" "SYMBOL;THREADS;STACK_PAGES;ELRANGE_BITS"
                          "SOURCES;ROOMS;EXTRA_ROOMS;DEFINITIONS" ${ARGN})
    alc_enclave_objects(objects "${IMAGE_ROOMS}")
    if(IMAGE_EXTRA_ROOMS)
        alc_enclave_objects(extra_objects "${IMAGE_EXTRA_ROOMS}")
        list(APPEND objects ${extra_objects})
    endif()
    set(elf ${name}.elf)
    set(sgxs ${CMAKE_BINARY_DIR}/${name}.sgxs)
    set(sig ${CMAKE_BINARY_DIR}/${name}.sig)
    add_executable(${elf} EXCLUDE_FROM_ALL ${IMAGE_SOURCES} ${objects})
    target_include_directories(${elf} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}
                               ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/generated)
    target_compile_definitions(${elf} PRIVATE ${IMAGE_DEFINITIONS})
    target_compile_options(${elf} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:${ALC_WARNINGS} ${ALC_CODE_FLAGS} ${ALC_ENCLAVE_FLAGS}>)
    target_link_options(${elf} PRIVATE ${ALC_ENCLAVE_LINK_FLAGS}
                        -Wl,-Map=${CMAKE_BINARY_DIR}/${name}.map)
    target_link_libraries(${elf} PRIVATE gcc)
    set_target_properties(${elf} PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/enclave.ld
                          RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

    set(build_options "")
    foreach(pair THREADS:--threads STACK_PAGES:--stack-pages ELRANGE_BITS:--elrange-bits)
        string(REGEX MATCH "^(.*):(.*)$" matched ${pair})
        if(DEFINED IMAGE_${CMAKE_MATCH_1})
            list(APPEND build_options ${CMAKE_MATCH_2} ${IMAGE_${CMAKE_MATCH_1}})
        endif()
    endforeach()
    set(sign_options "")
    if(IMAGE_DEBUG)
        set(sign_options --debug)
    endif()
    add_custom_command(
        OUTPUT ${sgxs}
        COMMAND alcove-image build $<TARGET_FILE:${elf}> -o ${sgxs} ${build_options}
        DEPENDS alcove-image ${elf}
        COMMENT "building the enclave image ${name}.sgxs")
    add_custom_command(
        OUTPUT ${sig}
        COMMAND alcove-image sign ${sgxs} ${ALC_SIGNING_KEY} -o ${sig} ${sign_options}
        DEPENDS alcove-image ${sgxs} enclave_dev_key ${ALC_SIGNING_KEY}
        COMMENT "signing ${name}.sgxs with the development key")
    add_custom_target(${name}_image DEPENDS ${sgxs} ${sig})

    if(NOT IMAGE_SYMBOL)
        set(IMAGE_SYMBOL ${name})
    endif()
    set(ALC_SYMBOL ${IMAGE_SYMBOL})
    set(ALC_SGXS ${sgxs})
    set(ALC_SIG ${sig})
    set(embedded ${CMAKE_BINARY_DIR}/generated/images/${name}.S)
    configure_file(${CMAKE_SOURCE_DIR}/cmake/embedded_image.S.in ${embedded} @ONLY)
    add_library(${name}_embedded OBJECT EXCLUDE_FROM_ALL ${embedded})
    set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS "${sgxs};${sig}")
    add_dependencies(${name}_embedded ${name}_image)
endfunction()

# The images that the alcove program carries are a matrix: what runs code (the interpreter, or compiled code)
# and what an image does besides (nothing, or all services). Each is one main function of either kind.
set(ALC_SERVICES_ROOMS)
if(TARGET alc_services)
    set(ALC_SERVICES_ROOMS crypto voucher seal witness mounts attest evidence judge broker broker_keys channel attested
                           services enclave_complete)
endif()
set(ALC_IMAGE_OF_interpreter ${CMAKE_SOURCE_DIR}/src/enclave/main.c)
set(ALC_IMAGE_OF_native ${CMAKE_SOURCE_DIR}/src/enclave/main_native.c)
set(ALC_IMAGE_WITH_plain ${CMAKE_SOURCE_DIR}/src/enclave/main_plain.c)
set(ALC_IMAGE_WITH_complete ${CMAKE_SOURCE_DIR}/src/enclave_complete/main_complete.c)

# alc_runtime_image(name symbol interpreter|native plain|complete); complete ones only where services can be built.
function(alc_runtime_image name symbol executor services)
    set(extra)
    if(services STREQUAL "complete")
        if(NOT ALC_SERVICES_ROOMS)
            return()
        endif()
        set(extra EXTRA_ROOMS ${ALC_SERVICES_ROOMS})
    endif()
    alc_enclave_image(${name} SYMBOL ${symbol} ${extra}
        SOURCES ${ALC_IMAGE_OF_${executor}} ${ALC_IMAGE_WITH_${services}})
endfunction()

alc_runtime_image(alcove_runtime alc_runtime interpreter plain)
alc_runtime_image(alcove_native alc_native_runtime native plain)
alc_runtime_image(alcove_complete alc_complete interpreter complete)
alc_runtime_image(alcove_complete_native alc_complete_native native complete)
