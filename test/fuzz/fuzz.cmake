# SPDX-License-Identifier: MIT
# One program for each parser: with clang a libFuzzer that runs for a moment in
# ctest (and ten minutes in scripts/soak), with gcc one that reads the corpus.
set(FUZZERS hex srec uf2 dfu elf file layout device)
set(FUZZ_RUNS 2000 CACHE STRING "inputs that each fuzzer tries in ctest")
set(FUZZ ${CMAKE_CURRENT_SOURCE_DIR}/fuzz)
set(LIB ${PROJECT_SOURCE_DIR}/host/lib)

if(CMAKE_C_COMPILER_ID MATCHES Clang)
    set(fuzz_flags -g -O1 -fsanitize=fuzzer-no-link,address,undefined
        -fno-sanitize-recover=all)
    set(fuzz_link -fsanitize=fuzzer,address,undefined)
    set(fuzz_main)
else()
    set(fuzz_flags)
    set(fuzz_link)
    set(fuzz_main ${FUZZ}/replay.c)
endif()

add_library(fuzz_lib STATIC ${LIB}/dfu_file.c ${LIB}/elf_fw.c ${LIB}/fail.c
    ${LIB}/fw.c ${LIB}/fw_file.c ${LIB}/hex.c ${LIB}/img_crc.c ${LIB}/record.c
    ${LIB}/srec.c ${LIB}/uf2.c ${LIB}/device.c ${LIB}/layout.c
    unit/fw_same.c ${fuzz_main})
target_include_directories(fuzz_lib PUBLIC ${LIB} ${PROJECT_SOURCE_DIR}/core
    unit)
target_compile_options(fuzz_lib PUBLIC ${fuzz_flags})
target_link_libraries(fuzz_lib PUBLIC host_flags
    PkgConfig::FUZZ_LIBELF PkgConfig::FUZZ_ZLIB)

foreach(name IN LISTS FUZZERS)
    set(corpus ${FUZZ}/corpus/${name})
    add_executable(fuzz_${name} ${FUZZ}/fuzz_${name}.c ${FUZZ}/fuzz.c)
    target_link_libraries(fuzz_${name} PRIVATE fuzz_lib)
    target_link_options(fuzz_${name} PRIVATE ${fuzz_link})
    if(fuzz_main)
        add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${corpus})
    else()
        # What it finds goes into the first directory.
        set(found ${CMAKE_BINARY_DIR}/fuzz/${name})
        file(MAKE_DIRECTORY ${found})
        add_test(NAME fuzz_${name} COMMAND fuzz_${name}
            -runs=${FUZZ_RUNS} -max_total_time=20 -max_len=4096 -verbosity=0
            -print_final_stats=1 -artifact_prefix=${found}- ${found} ${corpus})
    endif()
    set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endforeach()
