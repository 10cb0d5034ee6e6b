# The alcove program: all of src/cli, with the runtime images inside (cmake/enclave_image.cmake).
if(TARGET alc_cli AND TARGET alcove_runtime_embedded)
    add_executable(alcove $<TARGET_OBJECTS:alc_cli> $<TARGET_OBJECTS:alcove_runtime_embedded>
                   $<TARGET_OBJECTS:alcove_native_embedded>)
    target_compile_definitions(alc_cli PRIVATE ALC_VERSION="${PROJECT_VERSION}")
    get_target_property(cli_links alc_cli LINK_LIBRARIES)
    # The compiler has a program of its own (cli/compile.c).
    list(REMOVE_ITEM cli_links alc_compiler)
    target_link_libraries(alcove PRIVATE ${cli_links} pthread)
    if(TARGET alc_cli_complete AND TARGET alcove_complete_embedded)
        target_sources(alcove PRIVATE $<TARGET_OBJECTS:alc_cli_complete>
                       $<TARGET_OBJECTS:alcove_complete_embedded>
                       $<TARGET_OBJECTS:alcove_complete_native_embedded>)
        target_link_libraries(alcove PRIVATE alc_keys alc_services alc_sgx_emu_quote)
        if(TARGET alc_witness_server)
            target_link_libraries(alcove PRIVATE alc_witness_server)
        endif()
    endif()
    if(TARGET alc_cli_kbs)
        target_sources(alcove PRIVATE $<TARGET_OBJECTS:alc_cli_kbs>)
        target_link_libraries(alcove PRIVATE alc_kbs CURL::libcurl)
    endif()
    install(TARGETS alcove RUNTIME DESTINATION bin)
    if(TARGET alc_compiler)
        add_executable(alcove-compiler $<TARGET_OBJECTS:alc_cli> $<TARGET_OBJECTS:alc_compiler>
                       $<TARGET_OBJECTS:alcove_runtime_embedded>
                   $<TARGET_OBJECTS:alcove_native_embedded>)
        target_link_libraries(alcove-compiler PRIVATE ${cli_links} alc_compiler pthread)
        add_dependencies(alcove alcove-compiler)
        install(TARGETS alcove-compiler RUNTIME DESTINATION bin)
    endif()
    install(FILES man/alcove.1 DESTINATION share/man/man1)
endif()
