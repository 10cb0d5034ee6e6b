# SPDX-License-Identifier: Apache-2.0
# Attested channels against the same TLS without evidence: bench/channel_bench.c, by hand.
if(TARGET alc_channel AND TARGET alc_sgx_emu_quote)
    add_executable(channel_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/channel_bench.c)
    target_compile_options(channel_bench PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall)
    target_link_libraries(channel_bench PRIVATE alc_channel alc_sgx_emu_quote alc_test_support
                          pthread)
endif()
