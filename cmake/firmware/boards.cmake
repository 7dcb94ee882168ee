# SPDX-License-Identifier: MIT
# The boards: each folder of board/ that has a board.cmake, and the folders in
# SALLYPORT_BOARD_DIR, which are boards outside this tree.  A board's folder is
# named like the board and has
#
#   board.h      its data: ids, strings, memories, pins, partitions
#   board.cmake  set(FAMILY F103), the chip family (families.cmake);
#                set(WITHOUT staged), the profiles that it does not have
#
# Sets BOARDS, and for each of them BOARD_<name>_FAMILY, _WITHOUT, _DIR,
# _FLASH_SIZE and _RAM_SIZE.
set(SALLYPORT_BOARD_DIR "" CACHE PATH "Folders of boards outside this tree")
include(${CMAKE_CURRENT_LIST_DIR}/families.cmake)

function(board_error dir) # and the parts of a sentence
    message(FATAL_ERROR "board folder ${dir}: " ${ARGN})
endfunction()

# The bytes that board.h defines as NAME, for linkers.
function(board_bytes result dir name)
    file(STRINGS ${dir}/board.h line REGEX "^#define ${name} ")
    if(NOT line MATCHES "^#define ${name} +[(]([0-9]+)u [*] 1024u[)]")
        board_error(${dir} "board.h has to say how large the memory is, like "
            "this: #define ${name} (64u * 1024u)")
    endif()
    math(EXPR bytes "${CMAKE_MATCH_1} * 1024")
    set(${result} ${bytes} PARENT_SCOPE)
endfunction()

function(add_board dir)
    cmake_path(GET dir FILENAME board)
    foreach(file board.cmake board.h)
        if(NOT EXISTS ${dir}/${file})
            board_error(${dir} "there is no ${file} in it (docs/bring-up.md)")
        endif()
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${dir}/board.cmake ${dir}/board.h)
    if(board IN_LIST BOARDS)
        board_error(${dir} "there is a board ${board} already, in "
            "${BOARD_${board}_DIR}: name the folder and BOARD_NAME otherwise")
    endif()
    if(NOT board MATCHES "^[A-Za-z0-9_-]+$")
        board_error(${dir} "a board's name is letters, digits, - and _")
    endif()
    file(STRINGS ${dir}/board.h named REGEX "^#define BOARD_NAME ")
    if(NOT named MATCHES "BOARD_NAME +\"${board}\"")
        board_error(${dir} "board.h has to say: #define BOARD_NAME "
            "\"${board}\", as the folder is called")
    endif()
    board_bytes(flash_size ${dir} BOARD_FLASH_SIZE)
    board_bytes(ram_size ${dir} BOARD_RAM_SIZE)
    unset(FAMILY)
    unset(WITHOUT)
    include(${dir}/board.cmake)
    if(NOT FAMILY IN_LIST FAMILIES)
        list(JOIN FAMILIES ", " known)
        board_error(${dir} "FAMILY in board.cmake is \"${FAMILY}\", known "
            "are ${known}")
    endif()
    set(BOARDS ${BOARDS} ${board} PARENT_SCOPE)
    set(BOARD_${board}_DIR ${dir} PARENT_SCOPE)
    set(BOARD_${board}_FAMILY ${FAMILY} PARENT_SCOPE)
    set(BOARD_${board}_WITHOUT ${WITHOUT} PARENT_SCOPE)
    set(BOARD_${board}_FLASH_SIZE ${flash_size} PARENT_SCOPE)
    set(BOARD_${board}_RAM_SIZE ${ram_size} PARENT_SCOPE)
endfunction()

set(BOARDS)
get_filename_component(top ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
file(GLOB found CONFIGURE_DEPENDS ${top}/board/*/board.cmake)
foreach(file IN LISTS found)
    cmake_path(GET file PARENT_PATH dir)
    add_board(${dir})
endforeach()
foreach(dir IN LISTS SALLYPORT_BOARD_DIR)
    cmake_path(ABSOLUTE_PATH dir NORMALIZE)
    string(REGEX REPLACE "/$" "" dir ${dir})
    add_board(${dir})
endforeach()

# The profiles of a board.
function(board_profiles result board)
    set(profiles ${PROFILES})
    list(REMOVE_ITEM profiles ${BOARD_${board}_WITHOUT})
    set(${result} ${profiles} PARENT_SCOPE)
endfunction()
