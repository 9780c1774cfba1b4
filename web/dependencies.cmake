# WebAssembly's compiler, and libraries for it.
enable_language(C)

# Builds take a third less time than with exceptions by way of JavaScript, and the module is smaller.
# em++ only starts Clang, but takes half a second to do so; files are compiled by Clang itself, with
# the flags that em++ would pass, and em++ links.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} --cflags -fwasm-exceptions OUTPUT_VARIABLE clang_flags
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND em-config LLVM_ROOT OUTPUT_VARIABLE llvm OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
find_program(WEB_CLANG NAMES clang-14 clang HINTS ${llvm} NO_CMAKE_FIND_ROOT_PATH REQUIRED)
foreach(language C CXX)
  set(CMAKE_${language}_COMPILE_OBJECT
      "${WEB_CLANG} ${clang_flags} <DEFINES> <INCLUDES> <FLAGS> -o <OBJECT> -c <SOURCE>")
endforeach()
add_compile_options(-fwasm-exceptions -Wno-unused-command-line-argument)
add_link_options(-fwasm-exceptions)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

include(cmake/source_libraries.cmake)
target_sources(fmt_code PRIVATE web/libcxx/charconv.cc)
include_directories(BEFORE SYSTEM ${CMAKE_SOURCE_DIR}/web/libcxx)
add_library(Threads::Threads INTERFACE IMPORTED)

# 128 bits at a time, which browsers have had since 2021 (Safari since 2023).
file(GLOB simd ${CMAKE_SOURCE_DIR}/runtime_ref/simd_*.cc)
set_source_files_properties(${simd} PROPERTIES COMPILE_OPTIONS -msimd128 SKIP_PRECOMPILE_HEADERS ON)
