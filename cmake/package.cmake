# SPDX-License-Identifier: MIT
# Debian packages of what cmake/install.cmake installs, one a component; made
# by scripts/dist in a build of the preset `package`.
if(NOT SALLYPORT_DEBIAN)
    return()
endif()

set(SALLYPORT_MAINTAINER "The Sallyport authors <sallyport@example.net>"
    CACHE STRING "Maintainer of the packages")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # or that, if it is set

# What Debian wants to know of each package.
function(package component name)
    set(doc ${PROJECT_BINARY_DIR}/share/doc/${name})
    file(WRITE ${doc}/changelog.Debian "${name} (${PROJECT_VERSION}-1) unstable;\
 urgency=medium\n\n  * New release, see changelog.gz.\n\n\
 -- ${SALLYPORT_MAINTAINER}  ${date}\n")
    execute_process(COMMAND gzip -9nf ${doc}/changelog.Debian
        COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md
        OUTPUT_FILE ${doc}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)
    install(FILES ${doc}/changelog.Debian.gz ${doc}/changelog.gz
        COMPONENT ${component} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name})
    install(FILES ${PROJECT_SOURCE_DIR}/cmake/debian-copyright
        RENAME copyright COMPONENT ${component}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name})
    string(TOUPPER ${component} upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
endfunction()
package(tool sallyport)
package(dev libsallyport-dev)
package(firmware sallyport-firmware)

set(CPACK_PACKAGE_VENDOR Sallyport)
set(CPACK_PACKAGE_CONTACT ${SALLYPORT_MAINTAINER})
set(CPACK_COMPONENTS_ALL tool dev firmware)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE
    OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION electronics)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS sallyport-firmware)
set(CPACK_COMPONENT_TOOL_DESCRIPTION "tool and virtual chip for a USB bootloader
Makes, checks and installs firmware files for microcontrollers with the
Sallyport USB bootloader, by DFU or by the drive that a board shows. With it
comes sallyport-chip, a virtual STM32 that runs the bootloader's binary and
that real USB hosts talk to.")
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
foreach(needed IN LISTS SALLYPORT_NEEDS)
    set(found FALSE)
    foreach(pair libelf=libelf-dev libusb-1.0=libusb-1.0-0-dev zlib=zlib1g-dev)
        if(pair MATCHES "^${needed}=(.*)$")
            list(APPEND packages ${CMAKE_MATCH_1})
            set(found TRUE)
        endif()
    endforeach()
    if(NOT found)
        message(FATAL_ERROR "which Debian package has ${needed}.pc?")
    endif()
endforeach()
list(JOIN packages ", " packages)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ${packages})
set(CPACK_COMPONENT_DEV_DESCRIPTION "library for files of a USB bootloader
Static library, headers, pkg-config and CMake files to read, write, check and
convert firmware files for the Sallyport USB bootloader.")
set(CPACK_DEBIAN_FIRMWARE_PACKAGE_SECTION electronics)
set(CPACK_DEBIAN_FIRMWARE_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_FIRMWARE_DESCRIPTION "USB bootloader for STM32, binaries
The bootloaders of all boards and profiles, to be written to the chip with a
debug probe, or to be run by sallyport-chip.")
include(CPack)
