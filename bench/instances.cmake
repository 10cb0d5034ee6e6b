# SPDX-License-Identifier: Apache-2.0
# bench_instances measures how fast the engine starts: loading, instances, memory (instances.c).
add_executable(bench_instances EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/instances.c)
target_compile_options(bench_instances PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS} -Wall -Wextra)
target_link_libraries(bench_instances PRIVATE alc_exec alc_os_linux alc_test_support)
if(TARGET bench)
    add_dependencies(bench bench_instances)
endif()
