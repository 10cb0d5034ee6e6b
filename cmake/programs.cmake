# The alcove program: all of src/cli, with the runtime image inside (cmake/enclave_image.cmake).
if(TARGET alc_cli AND TARGET alcove_runtime_embedded)
    add_executable(alcove $<TARGET_OBJECTS:alc_cli> $<TARGET_OBJECTS:alcove_runtime_embedded>)
    target_compile_definitions(alc_cli PRIVATE ALC_VERSION="${PROJECT_VERSION}")
    get_target_property(cli_links alc_cli LINK_LIBRARIES)
    target_link_libraries(alcove PRIVATE ${cli_links} pthread)
    install(TARGETS alcove RUNTIME DESTINATION bin)
    install(FILES man/alcove.1 DESTINATION share/man/man1)
endif()
