# The program as a module for a worker (page.cc), and the page around it.

list(FILTER cli_sources EXCLUDE REGEX "tools/main[.]cc$")
add_executable(sb3lm_page web/page.cc web/talk.cc ${cli_sources})

# What takes no time is compiled to be small.
set(small_targets model import synth lower kernels unpack report pack sb3lm_page)
foreach(target ${small_targets})
  target_compile_options(${target} PRIVATE -Os)
endforeach()
target_link_libraries(sb3lm_page PRIVATE pack report synth runtime_ref samples)
target_link_options(
  sb3lm_page PRIVATE -Os --no-entry -sMODULARIZE=1 -sEXPORT_NAME=makeSb3lm -sENVIRONMENT=worker,node
  -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=4GB -sTOTAL_STACK=5MB -sFORCE_FILESYSTEM=1
  -lworkerfs.js -sEXPORTED_RUNTIME_METHODS=FS,WORKERFS,UTF8ToString,stringToUTF8,lengthBytesUTF8
  -sEXPORTED_FUNCTIONS=_malloc,_free)

# The kernels against their twins in plain C++; tests/web/kernels_test.mjs runs it in Node.
add_executable(fast_kernels_test tests/unit/fast_kernels_test.cc tests/support/main.cc)
target_include_directories(fast_kernels_test PRIVATE tests)
target_link_libraries(fast_kernels_test PRIVATE runtime_ref)
target_link_options(fast_kernels_test PRIVATE -sENVIRONMENT=node -sALLOW_MEMORY_GROWTH=1
                    -sEXIT_RUNTIME=1 -sSINGLE_FILE=1)
