# SPDX-License-Identifier: Apache-2.0
# The key broker's libraries, which are the system's: without one of them the broker is left out, and without
# libcurl the command line's part of it.

set(ALC_KBS_LIBRARIES)
foreach(pair jansson:jansson microhttpd:microhttpd sqlite3:sqlite3)
    string(REGEX MATCH "^(.*):(.*)$" matched ${pair})
    find_path(ALC_${CMAKE_MATCH_1}_HEADER ${CMAKE_MATCH_2}.h)
    find_library(ALC_${CMAKE_MATCH_1}_LIBRARY ${CMAKE_MATCH_1})
    mark_as_advanced(ALC_${CMAKE_MATCH_1}_HEADER ALC_${CMAKE_MATCH_1}_LIBRARY)
    if(NOT ALC_${CMAKE_MATCH_1}_HEADER OR NOT ALC_${CMAKE_MATCH_1}_LIBRARY)
        message(STATUS "lib${CMAKE_MATCH_1} not found (tools/bootstrap gets it): no key broker is built")
        list(APPEND ALC_MISSING_ROOMS kbs)
    else()
        list(APPEND ALC_KBS_LIBRARIES ${ALC_${CMAKE_MATCH_1}_LIBRARY})
    endif()
endforeach()

find_package(CURL)
if(NOT CURL_FOUND)
    message(STATUS "libcurl not found (tools/bootstrap gets it): alcove kbs is not built")
    list(APPEND ALC_MISSING_ROOMS cli_kbs)
endif()

# What the rooms need beyond alc_room.
function(alc_kbs_room)
    if(TARGET alc_kbs)
        target_link_libraries(alc_kbs PUBLIC ${ALC_KBS_LIBRARIES} pthread)
    endif()
    if(TARGET alc_cli_kbs)
        target_link_libraries(alc_cli_kbs PUBLIC CURL::libcurl)
    endif()
endfunction()
