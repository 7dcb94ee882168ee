# SPDX-License-Identifier: MIT
# Run at each build: writes OUT, which says what CONFIG_VERSION and CONFIG_BUILD
# are (core/config.h), and leaves it alone where it says so already.  The build
# id is BUILD where that is given, else the commit; "~" in place of its last
# digit: and what was not committed.
cmake_minimum_required(VERSION 3.20)
set(archived "$Format:%H$") # git archive puts the commit here
if(NOT BUILD AND NOT archived MATCHES "Format")
    string(SUBSTRING ${archived} 0 8 BUILD)
endif()
find_package(Git QUIET)
if(NOT BUILD)
    set(BUILD unknown)
    set(ask_git ${GIT_FOUND})
endif()
if(ask_git)
    execute_process(
        COMMAND ${GIT_EXECUTABLE} -C ${TOP} rev-parse --verify --short=8 HEAD
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
        ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
        string(SUBSTRING ${commit} 0 8 BUILD)
        execute_process(
            COMMAND ${GIT_EXECUTABLE} -C ${TOP} diff --quiet HEAD
            RESULT_VARIABLE changed ERROR_QUIET)
        if(changed)
            string(REGEX REPLACE ".$" "~" BUILD ${BUILD})
        endif()
    endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT
"#define CONFIG_VERSION \"@VERSION@\"
#define CONFIG_BUILD \"@BUILD@\"
" @ONLY)
