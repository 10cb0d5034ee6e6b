# SPDX-License-Identifier: Apache-2.0
# How long evidence takes: bench/attest_bench.c, by hand.
if(TARGET alc_attest)
    add_executable(attest_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/attest_bench.c)
    target_compile_options(attest_bench PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
    target_link_libraries(attest_bench PRIVATE alc_attest alc_test_support)
endif()
