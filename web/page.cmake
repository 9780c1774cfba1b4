# The program as a module for a worker (page.cc), and the page around it.

list(FILTER cli_sources EXCLUDE REGEX "tools/main[.]cc$")
add_executable(sb3lm_page web/page.cc web/talk.cc ${cli_sources})
target_link_libraries(sb3lm_page PRIVATE pack report synth runtime_ref samples)
target_link_options(
  sb3lm_page PRIVATE --no-entry -sMODULARIZE=1 -sEXPORT_NAME=makeSb3lm -sENVIRONMENT=worker,node
  -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=4GB -sTOTAL_STACK=5MB -sFORCE_FILESYSTEM=1
  -lworkerfs.js -sEXPORTED_RUNTIME_METHODS=FS,WORKERFS,UTF8ToString,stringToUTF8,lengthBytesUTF8
  -sEXPORTED_FUNCTIONS=_malloc,_free)
