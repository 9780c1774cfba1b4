# The program for Windows (mingw.cmake) or Arm (aarch64.cmake), built on Linux.
include(cmake/source_libraries.cmake)
find_package(Threads REQUIRED)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# g++ 12 warns wrongly about copies of texts whose length it does not know.
add_compile_options(-Wno-array-bounds -Wno-stringop-overflow)
if(WIN32)
  add_compile_definitions(_WIN32_WINNT=0x0A00 LZMA_API_STATIC)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wa,-mbig-obj>)
  # As much stack as on Linux; the same bytes every time; names of files in UTF-8.
  add_link_options(-Wl,--stack,8388608 -Wl,--no-insert-timestamp
                   -Wl,--wrap=mbrtowc -Wl,-u,__wrap_mbrtowc)  # utf8_names.cc
endif()
