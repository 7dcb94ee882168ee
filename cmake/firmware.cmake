# SPDX-License-Identifier: MIT
# Builds the firmware of all boards and profiles as a sub-build with
# arm-none-eabi-gcc.  Results: build/firmware/<board>/.
include(ExternalProject)

find_program(ARM_GCC arm-none-eabi-gcc)
if(NOT ARM_GCC)
    message(FATAL_ERROR "arm-none-eabi-gcc is not installed: run "
        "scripts/setup, or configure with -DSALLYPORT_FIRMWARE=OFF")
endif()

set(SALLYPORT_BOARDS "" CACHE STRING "Boards to build for; empty: all")
string(REPLACE ";" "|" boards "${SALLYPORT_BOARDS}")
string(REPLACE ";" "|" board_dirs "${SALLYPORT_BOARD_DIR}")
ExternalProject_Add(firmware
    SOURCE_DIR ${PROJECT_SOURCE_DIR}/cmake/firmware
    BINARY_DIR ${PROJECT_BINARY_DIR}/firmware-build
    CMAKE_GENERATOR ${CMAKE_GENERATOR}
    LIST_SEPARATOR |
    CMAKE_ARGS
        -DCMAKE_TOOLCHAIN_FILE=${PROJECT_SOURCE_DIR}/cmake/arm-none-eabi.cmake
        -DSALLYPORT_OUTPUT=${PROJECT_BINARY_DIR}/firmware
        -DSALLYPORT_TOOL=$<TARGET_FILE:sallyport>
        -DSALLYPORT_PACK=$<TARGET_FILE:firmware-pack>
        -DSALLYPORT_VERSION=${PROJECT_VERSION}
        -DSALLYPORT_BUILD=${SALLYPORT_BUILD}
        -DSALLYPORT_BOARDS=${boards}
        -DSALLYPORT_BOARD_DIR=${board_dirs}
    DEPENDS sallyport firmware-pack
    BUILD_ALWAYS ON
    INSTALL_COMMAND ""
    USES_TERMINAL_BUILD ON)
