# SPDX-License-Identifier: Apache-2.0
# What a round with the key broker costs it: bench/kbs_bench.c, by hand.
if(TARGET alc_kbs)
    add_executable(kbs_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/kbs_bench.c)
    target_include_directories(kbs_bench PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_options(kbs_bench PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
    target_link_libraries(kbs_bench PRIVATE alc_kbs alc_keys alc_test_support cmocka)
endif()
