// What a torch checkpoint's pickle holds: tensors by name, alone or beside a configuration, or the
// two layouts of quantised artifacts,
//   {"w": {NAME: tensor, NAME.q: codes, NAME.scale: scales}, "m": {NAME: how it is stored}}
//   {"__quant_format__", "quantized": {NAME: codes}, "scales": {NAME: scales},
//    "passthrough": {NAME: tensor}, "qmeta": {NAME: {"scheme", "axis"}}, ...}
#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "import/formats.h"
#include "import/torch/archive.h"
#include "import/torch/config_json.h"
#include "import/torch/decompress.h"
#include "import/torch/tensors.h"

namespace sb3lm {
namespace {

using Kind = PickleValue::Kind;

// By how well they are told apart from a training run's settings.
constexpr std::array<std::string_view, 7> kConfigKeys{
    "cfg", "model_args", "model_config", "config", "hyper_parameters", "hparams", "args"};
constexpr std::array<std::string_view, 3> kWeightKeys{"model_state_dict", "state_dict", "model"};
constexpr std::string_view kCleanFormat = "int8_clean_per_row_v1";
// Far above those of models. Whoever writes a file must not choose how long reading it takes.
constexpr std::size_t kMostTensors = 1 << 16, kLongestName = 1000;

class CheckpointReader {
 public:
  CheckpointReader(TorchArchive& archive, const Pickle& pickle, Container& container)
      : pickle_(pickle), container_(container), tensors_(archive, pickle, container) {}

  void read() {
    const PickleId root = pickle_.root;
    if (kind(root) != Kind::dict) {
      fail(Fault::unsupported, "it holds {} and not a dict of tensors; save state_dict()",
           kind_name(kind(root)));
    }
    if (pickle_.find(root, "__quant_format__")) {
      read_clean(root);
    } else if (is_dict(pickle_.find(root, "w")) && is_dict(pickle_.find(root, "m"))) {
      read_artifact(*pickle_.find(root, "w"), *pickle_.find(root, "m"));
    } else {
      read_state(weights_of(root));
      read_config(root);
    }
    if (container_.tensors.empty()) fail(Fault::bad_input, "it holds no tensors");
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(fault, "{}: {}", container_.file, fmt::format(format, std::forward<Args>(args)...));
  }

  Kind kind(PickleId id) const { return pickle_[id].kind; }
  bool is_dict(std::optional<PickleId> id) const { return id && kind(*id) == Kind::dict; }

  /// Calls take(name, value) for each entry of a dict. What it is called goes into errors.
  template <class Take>
  void each(PickleId dict, std::string_view what, Take take) const {
    std::set<std::string_view> names;
    const std::vector<PickleId>& items = pickle_[dict].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const PickleValue& name = pickle_[items[i]];
      if (name.kind != Kind::text) {
        fail(Fault::bad_input, "{} has {} for a name", what, kind_name(name.kind));
      }
      if (name.text.size() > kLongestName) {
        fail(Fault::bad_input, "{} has a name of {} bytes, more than {}", what, name.text.size(),
             kLongestName);
      }
      if (!names.insert(name.text).second) {
        fail(Fault::bad_input, "{} names '{}' twice", what, name.text);
      }
      if (names.size() > kMostTensors) {
        fail(Fault::bad_input, "{} has more than {} entries", what, kMostTensors);
      }
      take(std::string(name.text), items[i + 1]);
    }
  }

  // Floats.

  PickleId weights_of(PickleId root) const {
    for (const std::string_view key : kWeightKeys) {
      if (const auto found = pickle_.find(root, key); is_dict(found)) return *found;
    }
    return root;
  }

  /// The entries of a dict by name.
  std::map<std::string, PickleId> entries(PickleId dict, std::string_view what) const {
    std::map<std::string, PickleId> all;
    each(dict, what, [&](const std::string& name, PickleId id) { all.emplace(name, id); });
    return all;
  }

  void read_state(PickleId dict) {
    each(dict, "the dict of tensors", [&](const std::string& name, PickleId value) {
      container_.tensors.push_back(tensors_.read(name, value));
    });
  }

  void read_config(PickleId root) {
    for (const std::string_view key : kConfigKeys) {
      const auto found = pickle_.find(root, key);
      if (!found || (kind(*found) != Kind::dict && kind(*found) != Kind::record)) continue;
      container_.config =
          config_json(pickle_, *found, container_.file + ": '" + std::string(key) + "'");
      return;
    }
  }

  // Artifacts.

  void take_coded(const std::string& name, PickleId codes, PickleId scale) {
    container_.tensors.push_back(tensors_.read_coded(name, codes, scale));
  }

  void read_artifact(PickleId weights, PickleId meta) {
    std::map<std::string, PickleId> stored = entries(weights, "'w'");
    const auto take = [&](const std::string& name, const std::string& ending) {
      const auto found = stored.find(name + ending);
      if (found == stored.end()) {
        fail(Fault::bad_input, "tensor '{}': 'm' lists it, but '{}{}' is not in 'w'", name, name,
             ending);
      }
      return stored.extract(found).mapped();
    };
    each(meta, "'m'", [&](const std::string& name, PickleId how) {
      if (is_coded(name, how)) {
        const PickleId codes = take(name, ".q");
        take_coded(name, codes, take(name, ".scale"));
      } else {
        container_.tensors.push_back(tensors_.read(name, take(name, "")));
      }
    });
    if (!stored.empty()) {
      fail(Fault::bad_input, "tensor '{}': it is in 'w', but 'm' does not say how it is stored",
           stored.begin()->first);
    }
  }

  /// By what `m` says: a text, or a dict with "type". The number in it is not to be trusted.
  bool is_coded(const std::string& name, PickleId how) const {
    const auto type = kind(how) == Kind::dict ? pickle_.find(how, "type") : how;
    const std::string_view text = type ? pickle_[*type].text : "";
    if (text.starts_with("passthrough")) return false;
    if (text.starts_with("int") || text.starts_with("gptq")) return true;
    fail(Fault::unsupported, "tensor '{}': 'm' says '{}', which is no way of storing that we know",
         name, text);
  }

  void read_clean(PickleId root) {
    const std::string_view format = pickle_[*pickle_.find(root, "__quant_format__")].text;
    if (format != kCleanFormat) {
      fail(Fault::unsupported, "__quant_format__ '{}' is not read, only '{}'", format,
           kCleanFormat);
    }
    const auto part = [&](std::string_view key) {
      const auto found = pickle_.find(root, key);
      if (!is_dict(found)) fail(Fault::bad_input, "'{}' is not a dict", key);
      return *found;
    };
    const auto scales = entries(part("scales"), "'scales'");
    const auto qmeta = pickle_.find(root, "qmeta");
    if (qmeta) check_schemes(*qmeta);
    std::set<std::string> names;
    each(part("quantized"), "'quantized'", [&](const std::string& name, PickleId codes) {
      const auto scale = scales.find(name);
      if (scale == scales.end()) {
        fail(Fault::bad_input, "tensor '{}': it has no entry in 'scales'", name);
      }
      take_coded(name, codes, scale->second);
      names.insert(name);
    });
    for (const auto& [name, id] : scales) {
      if (!names.contains(name)) {
        fail(Fault::bad_input, "tensor '{}': it has a scale but no codes", name);
      }
    }
    each(part("passthrough"), "'passthrough'", [&](const std::string& name, PickleId value) {
      if (!names.insert(name).second) {
        fail(Fault::bad_input, "tensor '{}': it is in 'quantized' and in 'passthrough'", name);
      }
      container_.tensors.push_back(tensors_.read(name, value));
    });
  }

  /// Scales are for the rows of the first axis; where the file says something else, it means it.
  void check_schemes(PickleId qmeta) const {
    each(qmeta, "'qmeta'", [&](const std::string& name, PickleId meta) {
      const auto scheme = pickle_.find(meta, "scheme"), axis = pickle_.find(meta, "axis");
      if ((scheme && pickle_[*scheme].text != "per_row") || (axis && pickle_[*axis].integer != 0)) {
        fail(Fault::unsupported,
             "tensor '{}': 'qmeta' asks for another scheme than per_row on axis 0", name);
      }
    });
  }

  const Pickle& pickle_;
  Container& container_;
  TorchTensors tensors_;
};

/// What was compressed may be something else.
void check_is_zip(const std::string& where, Bytes bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("PK\3\4")) return;
  const char* what = text.starts_with(kOldTorch)   ? "a PyTorch checkpoint of before 1.6"
                     : text.starts_with(kShuffled) ? "shuffled bytes (BSHF)"
                                                   : "no zip as torch.save writes it";
  fail(Fault::unsupported, "{}: it is {}: not read", where, what);
}

}  // namespace

Container read_torch(const CheckpointFiles& files) {
  const NamedBytes& file = files.checkpoint;
  Container container{.file = file.file, .format = "torch"};
  Bytes bytes = file.bytes;
  std::string where = file.file;
  if (is_compressed(bytes)) {
    bytes = container.keep(decompress(file));
    where += ", decompressed";
    check_is_zip(where, bytes);
  }
  TorchArchive archive(where, bytes);
  const Pickle pickle = read_pickle(where + ": data.pkl", archive.need("data.pkl").bytes);
  CheckpointReader(archive, pickle, container).read();
  return container;
}

}  // namespace sb3lm
