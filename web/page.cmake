# The program as a module for a worker (page.cc), and the page around it.

# Most of the time goes into headers: they are read once.
target_precompile_headers(
  base PRIVATE <algorithm> <charconv> <filesystem> <functional> <map> <memory> <optional> <set>
  <string> <string_view> <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
foreach(library model import synth scratch quant kernels lower sb3 runtime_ref unpack report pack)
  target_precompile_headers(${library} REUSE_FROM base)
endforeach()

list(FILTER cli_sources EXCLUDE REGEX "tools/main[.]cc$")
add_executable(sb3lm_page web/page.cc web/talk.cc ${cli_sources})
target_precompile_headers(sb3lm_page REUSE_FROM base)
target_link_libraries(sb3lm_page PRIVATE pack report synth runtime_ref samples)
target_link_options(
  sb3lm_page PRIVATE --no-entry -sMODULARIZE=1 -sEXPORT_NAME=makeSb3lm -sENVIRONMENT=worker,node
  -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=4GB -sTOTAL_STACK=5MB -sFORCE_FILESYSTEM=1
  -lworkerfs.js -sEXPORTED_RUNTIME_METHODS=FS,WORKERFS,UTF8ToString,stringToUTF8,lengthBytesUTF8
  -sEXPORTED_FUNCTIONS=_malloc,_free)
