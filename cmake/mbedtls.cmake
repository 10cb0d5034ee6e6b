# SPDX-License-Identifier: Apache-2.0
# mbedTLS for src/crypto: from source, with our configuration and without the machine's C library,
# once for programs and once for enclave images. tools/bootstrap puts the source where this looks
# for it; ALC_MBEDTLS_SOURCE names another place. Without it the rooms that need it are left out.

set(ALC_MBEDTLS_SOURCE "" CACHE PATH "unpacked source of mbedTLS 3.6; empty: where tools/bootstrap puts it")
set(ALC_MBEDTLS_FILES
    aes aesni asn1parse asn1write bignum bignum_core cipher cipher_wrap cmac constant_time ecdsa ecp
    ecp_curves hkdf hmac_drbg md rsa rsa_alt_helpers sha256 sha512)
# TLS 1.3, for src/channel alone.
set(ALC_MBEDTLS_TLS_FILES
    ecdh oid pk pk_ecc pk_wrap pkparse psa_crypto psa_crypto_aead psa_crypto_cipher psa_crypto_client
    psa_crypto_driver_wrappers_no_static psa_crypto_ecp psa_crypto_hash psa_crypto_mac psa_crypto_rsa
    psa_crypto_slot_management psa_util ssl_ciphersuites ssl_client ssl_msg ssl_tls ssl_tls13_client
    ssl_tls13_generic ssl_tls13_keys ssl_tls13_server x509 x509_crt)
# Where the time of a signature goes.
set(ALC_MBEDTLS_HOT_FILES bignum_core ecp_curves)

# Versions that are accepted, the best one first: rows of tools/mbedtls_versions.txt.
function(alc_find_mbedtls out)
    if(ALC_MBEDTLS_SOURCE)
        set(places ${ALC_MBEDTLS_SOURCE})
    else()
        set(cache $ENV{XDG_CACHE_HOME})
        if(NOT cache)
            set(home $ENV{HOME})
            if(NOT home)
                execute_process(COMMAND sh -c "getent passwd $(id -u) | cut -d: -f6"
                                OUTPUT_VARIABLE home OUTPUT_STRIP_TRAILING_WHITESPACE)
            endif()
            set(cache ${home}/.cache)
        endif()
        set(versions ${CMAKE_SOURCE_DIR}/tools/mbedtls_versions.txt)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${versions})
        file(STRINGS ${versions} rows REGEX "^[0-9]")
        set(places)
        foreach(row ${rows})
            string(REGEX MATCH "^[^ ]+" version "${row}")
            string(REPLACE "~" "-" version ${version})
            list(APPEND places ${cache}/alcove/mbedtls-${version})
        endforeach()
    endif()
    set(${out} "" PARENT_SCOPE)
    foreach(place ${places})
        if(EXISTS ${place}/library/ecp.c)
            set(${out} ${place} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    if(ALC_MBEDTLS_SOURCE)
        message(FATAL_ERROR "ALC_MBEDTLS_SOURCE: no source of mbedTLS in ${ALC_MBEDTLS_SOURCE}")
    endif()
endfunction()

alc_find_mbedtls(ALC_MBEDTLS)
if(ALC_MBEDTLS)
    file(STRINGS ${ALC_MBEDTLS}/include/mbedtls/build_info.h version
         REGEX "^#define MBEDTLS_VERSION_STRING +\"3[.]6[.]")
    if(NOT version)
        message(FATAL_ERROR "${ALC_MBEDTLS}: src/crypto needs mbedTLS 3.6")
    endif()
else()
    message(STATUS "no source of mbedTLS (tools/bootstrap gets it): leaving out src/crypto and "
                   "what needs it")
    list(APPEND ALC_MISSING_ROOMS crypto)
endif()

# The same headers for our files and theirs; libc/ stands before the machine's own.
function(alc_mbedtls_settings target)
    target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_SOURCE_DIR}/src/crypto/libc
                               ${ALC_MBEDTLS}/include)
    target_compile_definitions(${target} PRIVATE
                               MBEDTLS_CONFIG_FILE="${CMAKE_SOURCE_DIR}/src/crypto/mbedtls_config.h")
    target_compile_options(${target} PRIVATE -maes -mpclmul)
endfunction()

function(alc_mbedtls_library name)
    list(TRANSFORM ARGN PREPEND ${ALC_MBEDTLS}/library/ OUTPUT_VARIABLE sources)
    list(TRANSFORM sources APPEND .c)
    add_library(${name} OBJECT EXCLUDE_FROM_ALL ${sources})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    # Not our warnings, but none that hides a wrong call.
    target_compile_options(${name} PRIVATE ${ALC_CODE_FLAGS} -ffile-prefix-map=${ALC_MBEDTLS}/=mbedtls/
                           -Wall -Werror=implicit-function-declaration)
    if(CMAKE_C_COMPILER_ID MATCHES "Clang")
        target_compile_options(${name} PRIVATE -nostdlibinc)
    else()
        # gcc 12 sees an overflow in mbedtls_xor's loop that there is not.
        target_compile_options(${name} PRIVATE -Wno-stringop-overflow)
    endif()
    alc_mbedtls_settings(${name})
endfunction()

# What the room needs beyond alc_room.
function(alc_crypto_room)
    if(NOT TARGET alc_crypto)
        return()
    endif()
    alc_mbedtls_library(alc_mbedtls ${ALC_MBEDTLS_FILES})
    target_compile_options(alc_mbedtls PRIVATE ${ALC_FREESTANDING_FLAGS})
    target_sources(alc_crypto PRIVATE $<TARGET_OBJECTS:alc_mbedtls>)
    alc_mbedtls_library(enclave_crypto_mbedtls ${ALC_MBEDTLS_FILES})
    target_compile_options(enclave_crypto_mbedtls PRIVATE ${ALC_ENCLAVE_FLAGS})
    foreach(target alc_crypto enclave_crypto enclave_crypto_hot)
        alc_mbedtls_settings(${target})
    endforeach()
    foreach(file ${ALC_MBEDTLS_HOT_FILES})
        set_property(SOURCE ${ALC_MBEDTLS}/library/${file}.c PROPERTY COMPILE_OPTIONS -O2)
    endforeach()
endfunction()

# The same for TLS.
function(alc_channel_room)
    if(NOT TARGET alc_channel)
        return()
    endif()
    alc_mbedtls_library(alc_mbedtls_tls ${ALC_MBEDTLS_TLS_FILES})
    target_compile_options(alc_mbedtls_tls PRIVATE ${ALC_FREESTANDING_FLAGS})
    target_sources(alc_channel PRIVATE $<TARGET_OBJECTS:alc_mbedtls_tls>)
    alc_mbedtls_library(enclave_channel_mbedtls ${ALC_MBEDTLS_TLS_FILES})
    target_compile_options(enclave_channel_mbedtls PRIVATE ${ALC_ENCLAVE_FLAGS})
    foreach(target alc_channel enclave_channel)
        alc_mbedtls_settings(${target})
    endforeach()
    foreach(target alc_channel enclave_channel alc_mbedtls_tls enclave_channel_mbedtls)
        # Addresses in names are read by mbedTLS itself: an enclave has no inet_pton.
        target_compile_definitions(${target} PRIVATE ALC_MBEDTLS_TLS=1 MBEDTLS_TEST_SW_INET_PTON)
    endforeach()
endfunction()
