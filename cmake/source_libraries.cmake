# What Debian's -dev packages are to the native program, for other systems: their headers, and
# libraries built from the sources that tools/setup --web, --windows and --arm unpack.
enable_language(C)
set(SOURCES ${CMAKE_SOURCE_DIR}/build-sources)
if(NOT EXISTS ${SOURCES}/versions)
  message(FATAL_ERROR "${SOURCES}: not there; tools/setup --web, --windows or --arm makes it")
endif()

# Only the libraries that are headers: next to them lie those of this machine's C library.
set(headers ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${headers})
foreach(name fmt nlohmann CLI hwy doctest)
  file(CREATE_LINK /usr/include/${name} ${headers}/${name} SYMBOLIC)
endforeach()
include_directories(BEFORE SYSTEM ${headers})

add_library(fmt_code STATIC packer/base/fmt/fmt_code.cc)
if(NOT WIN32)  # there it would have to come from a DLL
  target_compile_definitions(fmt_code PUBLIC FMT_SHARED)
endif()
set(FMT fmt_code)
add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)

# sb3lm_c_library(NAME FOLDER PATTERN...): the C files of a source package, without its own warnings.
function(sb3lm_c_library name folder)
  list(TRANSFORM ARGN PREPEND ${SOURCES}/${folder}/ OUTPUT_VARIABLE patterns)
  file(GLOB sources ${patterns})
  # Tables that are made at build time, programs, and what wants threads or files.
  list(FILTER sources EXCLUDE REGEX
       "/(gz[a-z]*|[a-z0-9_]*_(tablegen|small|mt|mt_[a-z]*)|hardware_[a-z]*|zstdmt_[a-z]*)[.]c$")
  add_library(${name} STATIC ${sources})
  target_compile_options(${name} PRIVATE -w)
endfunction()

sb3lm_c_library(deflate_code libdeflate lib/*.c lib/arm/*.c lib/x86/*.c)
target_include_directories(deflate_code SYSTEM PUBLIC ${SOURCES}/libdeflate)
set(LIBDEFLATE deflate_code)

sb3lm_c_library(zlib_code zlib *.c)
target_include_directories(zlib_code SYSTEM PUBLIC ${SOURCES}/zlib)
add_library(ZLIB::ZLIB ALIAS zlib_code)

sb3lm_c_library(zstd_code libzstd lib/common/*.c lib/compress/*.c lib/decompress/*.c)
target_include_directories(zstd_code SYSTEM PUBLIC ${SOURCES}/libzstd/lib)
set(ZSTD zstd_code)

set(lzma xz-utils/src/liblzma)
sb3lm_c_library(lzma_code ${lzma} common/*.c check/*.c lz/*.c lzma/*.c rangecoder/*.c delta/*.c
                simple/*.c)
target_include_directories(lzma_code SYSTEM PUBLIC ${SOURCES}/${lzma}/api)
foreach(folder common check lz lzma rangecoder delta simple)
  target_include_directories(lzma_code PRIVATE ${SOURCES}/${lzma}/${folder})
endforeach()
target_include_directories(lzma_code PRIVATE ${SOURCES}/xz-utils/src/common)
set(filters LZMA1 LZMA2 DELTA X86 POWERPC IA64 ARM ARMTHUMB ARM64 SPARC)
list(TRANSFORM filters PREPEND HAVE_ENCODER_ OUTPUT_VARIABLE encoders)
list(TRANSFORM filters PREPEND HAVE_DECODER_ OUTPUT_VARIABLE decoders)
target_compile_definitions(
  lzma_code PRIVATE ${encoders} ${decoders} HAVE_ENCODERS HAVE_DECODERS HAVE_CHECK_CRC32
  HAVE_CHECK_CRC64 HAVE_CHECK_SHA256 HAVE_MF_HC3 HAVE_MF_HC4 HAVE_MF_BT2 HAVE_MF_BT3 HAVE_MF_BT4
  HAVE_STDBOOL_H HAVE__BOOL HAVE_STDINT_H HAVE_INTTYPES_H TUKLIB_SYMBOL_PREFIX=lzma_
  HAVE_VISIBILITY=0 ASSUME_RAM=128 PACKAGE_NAME="xz" PACKAGE_BUGREPORT="" PACKAGE_URL="")
set(LZMA lzma_code)
