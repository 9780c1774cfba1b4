# Most of the time of Clang's build goes into headers: they are read once. (g++, which gains nothing by
# it, has a cache instead, which would not know that headers behind precompiled ones are the same.)
function(sb3lm_precompile first)
  target_precompile_headers(
    ${first} PRIVATE <algorithm> <charconv> <filesystem> <functional> <map> <memory> <optional> <set>
    <string> <string_view> <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
  foreach(target ${ARGN})
    target_precompile_headers(${target} REUSE_FROM ${first})
  endforeach()
endfunction()

# They are good for the flags that they were compiled with.
set(fast_targets base model import synth scratch quant kernels lower sb3 runtime_ref unpack report
    pack ${program})
list(REMOVE_ITEM fast_targets ${small_targets})
sb3lm_precompile(${fast_targets})
if(small_targets)
  sb3lm_precompile(${small_targets})
endif()
