// Times the fast engine: prints one line of JSON.
//   native_engine CHECKPOINT THREADS PROMPT TOKENS [KERNELS]
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "bench/timing.h"
#include "import/import.h"
#include "runtime_ref/fast_engine.h"

namespace sb3lm {
namespace {

const fast::Kernels* kernels_named(std::string_view name) {
  for (const fast::Kernels* kernels : fast::all_kernels()) {
    if (kernels->name == name) return kernels;
  }
  fail(Fault::usage, "there are no kernels '{}' for this processor", name);
}

class Native {
 public:
  Native(const PackedModel& model, const FastOptions& options) : engine_(model, options) {}
  void reset() { engine_.reset(); }
  double run(std::span<const int> tokens) {
    double logit = 0;
    engine_.run(tokens, 1, [&](std::size_t, std::span<const double> row) { logit = row[0]; });
    return logit;
  }

 private:
  FastEngine engine_;
};

}  // namespace
}  // namespace sb3lm

int main(int argc, char** argv) {
  using namespace sb3lm;
  if (argc < 5 || argc > 6) return 2;
  try {
    const auto model = import_packed(argv[1], {});
    if (!model) fail(Fault::unsupported, "{}: its weights are not packed", argv[1]);
    const int prompt = std::atoi(argv[3]), tokens = std::atoi(argv[4]);
    Native native(*model, {.context = prompt + tokens,
                           .threads = std::atoi(argv[2]),
                           .kernels = argc == 6 ? kernels_named(argv[5]) : nullptr});
    bench::print(bench::time_engine(native, prompt, tokens));
  } catch (const Error& error) {
    fmt::print(stderr, "native_engine: {}\n", error.what());
    return static_cast<int>(error.fault);
  }
}
