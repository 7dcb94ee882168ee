# SPDX-License-Identifier: MIT
# What `make install` and the packages put where.  Three components:
# tool (programs, manual pages, completions, udev rule), dev (library, headers,
# pkg-config, CMake), firmware (bootloaders).  The prefix
# can be chosen at the end (cmake --install --prefix).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SALLYPORT_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING
    "zsh completions")
set(SHARE ${PROJECT_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${SHARE})

# ---- made by sallyport-doc ----
function(made_by_doc file kind)
    add_custom_command(OUTPUT ${SHARE}/${file} DEPENDS sallyport-doc
        COMMAND sallyport-doc ${kind} > ${SHARE}/${file} VERBATIM)
endfunction()
made_by_doc(sallyport.1 man)
made_by_doc(sallyport bash)
made_by_doc(_sallyport zsh)
made_by_doc(sallyport.fish fish)
made_by_doc(70-sallyport.rules udev)
add_custom_command(OUTPUT ${SHARE}/sallyport-chip.1
    DEPENDS sallyport-doc sallyport-chip
    COMMAND sallyport-chip --help | $<TARGET_FILE:sallyport-doc> page
        sallyport-chip "virtual microcontroller that runs USB firmware"
        > ${SHARE}/sallyport-chip.1 VERBATIM)
set(pages)
foreach(page sallyport.1 sallyport-chip.1)
    add_custom_command(OUTPUT ${SHARE}/${page}.gz DEPENDS ${SHARE}/${page}
        COMMAND gzip -9nc ${SHARE}/${page} > ${SHARE}/${page}.gz VERBATIM)
    list(APPEND pages ${SHARE}/${page}.gz)
endforeach()
set(made ${SHARE}/sallyport ${SHARE}/_sallyport ${SHARE}/sallyport.fish
    ${SHARE}/70-sallyport.rules)
add_custom_target(sallyport_share ALL DEPENDS ${made} ${pages})

# ---- tool ----
install(TARGETS sallyport sallyport-chip COMPONENT tool)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
    COMPONENT tool)
install(FILES ${SHARE}/sallyport COMPONENT tool
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${SHARE}/_sallyport COMPONENT tool
    DESTINATION ${SALLYPORT_ZSH_DIR})
install(FILES ${SHARE}/sallyport.fish COMPONENT tool
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# udev reads /usr/lib/udev and /usr/local/lib/udev, whatever the libdir.
install(FILES ${SHARE}/70-sallyport.rules DESTINATION lib/udev/rules.d
    COMPONENT tool)

# ---- dev ----
install(TARGETS sallyport_lib EXPORT sallyport COMPONENT dev
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sallyport
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sallyport)
get_property(SALLYPORT_NEEDS TARGET sallyport_lib PROPERTY SALLYPORT_NEEDS)
install(EXPORT sallyport NAMESPACE sallyport:: DESTINATION ${package_dir}
    FILE sallyport-targets.cmake COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sallyport-config.cmake.in
    ${SHARE}/sallyport-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 each minor version may change the library.
write_basic_package_version_file(${SHARE}/sallyport-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${SHARE}/sallyport-config.cmake
    ${SHARE}/sallyport-config-version.cmake
    DESTINATION ${package_dir} COMPONENT dev)
# pkg-config leaves out the compiler's own directories only where they are
# spelt as such, so the prefix of this very installation goes in.
list(JOIN SALLYPORT_NEEDS " " needs)
configure_file(${PROJECT_SOURCE_DIR}/cmake/sallyport.pc.in
    ${SHARE}/sallyport.pc.in @ONLY)
install(CODE "file(READ \"${SHARE}/sallyport.pc.in\" text)
string(REPLACE PREFIX \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
file(WRITE \"${SHARE}/sallyport.pc\" \"\${text}\")" COMPONENT dev)
install(FILES ${SHARE}/sallyport.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

# ---- firmware ----
if(SALLYPORT_FIRMWARE)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/firmware/ COMPONENT firmware
        DESTINATION ${CMAKE_INSTALL_DATADIR}/sallyport FILES_MATCHING
        REGEX "/sallyport-[^/]*[.](hex|bin)$"
        REGEX "-(kv|closed)[.][^/]*$" EXCLUDE) # of tests
endif()
