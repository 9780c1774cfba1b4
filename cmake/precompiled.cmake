# Most of the time of a build goes into headers: they are read once. The native build has a compiler
# cache instead, which would not know that headers behind precompiled ones are the same.
target_precompile_headers(
  base PRIVATE <algorithm> <charconv> <filesystem> <functional> <map> <memory> <optional> <set>
  <string> <string_view> <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
foreach(target model import synth scratch quant kernels lower sb3 runtime_ref unpack report pack
               ${program})
  target_precompile_headers(${target} REUSE_FROM base)
endforeach()
