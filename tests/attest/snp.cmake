# SPDX-License-Identifier: Apache-2.0
# SEV-SNP: the real report, and agreement with another verifier (Go module go-sev-guest).
set(ALC_SNP_VECTORS ${CMAKE_SOURCE_DIR}/../shared/data/quotes/snp)
foreach(program test_snp snp_verdicts)
    add_executable(attest_${program} ${folder}/${program}.c)
    target_include_directories(attest_${program} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_options(attest_${program} PRIVATE ${ALC_CODE_FLAGS} ${ALC_HOSTED_FLAGS}
                           -Wall -Wextra)
    target_link_libraries(attest_${program} PRIVATE alc_attest alc_test_support)
endforeach()
target_link_libraries(attest_test_snp PRIVATE cmocka)
add_test(NAME attest/snp COMMAND attest_test_snp ${ALC_SNP_VECTORS})
set_tests_properties(attest/snp PROPERTIES TIMEOUT 120 LABELS unit SKIP_RETURN_CODE 77)
add_test(NAME attest/snp_every_byte COMMAND attest_test_snp ${ALC_SNP_VECTORS} all)
set_tests_properties(attest/snp_every_byte PROPERTIES TIMEOUT 900 LABELS campaign
                     SKIP_RETURN_CODE 77)

set(agree ${Python3_EXECUTABLE} ${folder}/snp_agree.py --verdicts $<TARGET_FILE:attest_snp_verdicts>
    --vectors ${ALC_SNP_VECTORS} --build ${CMAKE_BINARY_DIR}/snp_peer)
add_test(NAME attest/snp_agree COMMAND ${agree} --step 13 --bits 1)
set_tests_properties(attest/snp_agree PROPERTIES TIMEOUT 300 LABELS e2e SKIP_RETURN_CODE 77)
add_test(NAME attest/snp_agree_all COMMAND ${agree})
set_tests_properties(attest/snp_agree_all PROPERTIES TIMEOUT 1200 LABELS campaign
                     SKIP_RETURN_CODE 77)
