// Times llama.cpp from a prebuilt library: prints one line of JSON like native_engine does. The
// library is loaded by name, so nothing of it is needed to build this.
//   llama_engine FOLDER MODEL.gguf THREADS PROMPT TOKENS
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "bench/timing.h"

namespace sb3lm {
namespace {

// Larger than the structs of any version: passed by value they lie on the stack, where a callee
// reads only as many bytes as it knows of. Nothing in them is changed.
struct Parameters {
  std::array<std::uint64_t, 128> bytes;
};
struct Batch {  // llama_batch; the fields have not changed since 2024
  std::int32_t count;
  std::int32_t* tokens;
  void *embeddings, *positions, *sequence_counts, *sequences, *wanted;
};

class Library {
 public:
  explicit Library(const std::filesystem::path& folder)
      : base_(open(folder, "libggml-base.")),
        ggml_(open(folder, "libggml.")),
        llama_(open(folder, "libllama.")) {
    const auto ignore = [](int, const char*, void*) {};
    using Log = void (*)(int, const char*, void*);
    find<void(Log, void*)>(llama_, "llama_log_set")(ignore, nullptr);
    find<void(const char*)>(ggml_, "ggml_backend_load_all_from_path")(folder.c_str());
    find<void()>(llama_, "llama_backend_init")();
  }

  template <class Signature>
  Signature* llama(const char* name) const {
    return find<Signature>(llama_, name);
  }

 private:
  static void* open(const std::filesystem::path& folder, const std::string& prefix) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(prefix)) continue;
      if (void* library = ::dlopen(entry.path().c_str(), RTLD_NOW | RTLD_GLOBAL)) return library;
      fail(Fault::unsupported, "{}", ::dlerror());
    }
    fail(Fault::unsupported, "{}: there is no {}*", folder.string(), prefix);
  }

  template <class Signature>
  static Signature* find(void* library, const char* name) {
    void* symbol = ::dlsym(library, name);
    if (symbol == nullptr) fail(Fault::unsupported, "{}", ::dlerror());
    return reinterpret_cast<Signature*>(symbol);
  }

  void *base_, *ggml_, *llama_;
};

class Llama {
 public:
  Llama(const Library& library, const char* model, int threads)
      : decode_(library.llama<int(void*, Batch)>("llama_decode")),
        one_(library.llama<Batch(std::int32_t*, std::int32_t)>("llama_batch_get_one")),
        logits_(library.llama<float*(void*, std::int32_t)>("llama_get_logits_ith")),
        clear_(library.llama<void(void*, bool)>("llama_memory_clear")) {
    const auto model_parameters = library.llama<Parameters()>("llama_model_default_params")();
    void* loaded = library.llama<void*(const char*, Parameters)>("llama_model_load_from_file")(
        model, model_parameters);
    if (loaded == nullptr) fail(Fault::bad_input, "{}: llama.cpp does not load it", model);
    const auto parameters = library.llama<Parameters()>("llama_context_default_params")();
    context_ = library.llama<void*(void*, Parameters)>("llama_init_from_model")(loaded, parameters);
    if (context_ == nullptr) fail(Fault::bad_input, "{}: llama.cpp makes no context", model);
    library.llama<void(void*, std::int32_t, std::int32_t)>("llama_set_n_threads")(context_, threads,
                                                                                  threads);
    memory_ = library.llama<void*(void*)>("llama_get_memory")(context_);
  }

  void reset() { clear_(memory_, true); }
  float run(std::span<const int> tokens) {
    std::vector<std::int32_t> ids(tokens.begin(), tokens.end());
    const auto count = static_cast<std::int32_t>(ids.size());
    if (decode_(context_, one_(ids.data(), count)) != 0) fail(Fault::bug, "llama_decode fails");
    return logits_(context_, -1)[0];
  }

 private:
  int (*decode_)(void*, Batch);
  Batch (*one_)(std::int32_t*, std::int32_t);
  float* (*logits_)(void*, std::int32_t);
  void (*clear_)(void*, bool);
  void* context_ = nullptr;
  void* memory_ = nullptr;
};

}  // namespace
}  // namespace sb3lm

int main(int argc, char** argv) {
  using namespace sb3lm;
  if (argc != 6) return 2;
  try {
    const Library library(argv[1]);
    Llama llama(library, argv[2], std::atoi(argv[3]));
    bench::print(bench::time_engine(llama, std::atoi(argv[4]), std::atoi(argv[5])));
  } catch (const Error& error) {
    fmt::print(stderr, "llama_engine: {}\n", error.what());
    return static_cast<int>(error.fault);
  }
}
