#include "import/checkpoint_out.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/number_text.h"
#include "import/import.h"
#include "import/pack_tensors.h"
#include "import/settings.h"

namespace sb3lm {
namespace {

struct Place {
  TensorKey key;
  const Tensor* tensor;
};

class Writer {
 public:
  explicit Writer(const Model& model) : model_(model) {
    Settings settings;
    for (const auto& [name, value] : model.conventions) {
      set_from_file("model info", name, value, settings);
    }
    conventions_ = settings.conventions;
    for (const auto& [key, stem] : model.names) {
      const auto found = model.tensors.find(key);
      if (found != model.tensors.end()) places_[stem].push_back({key, &found->second});
    }
  }

  std::string write(const std::map<std::string, std::string>& metadata) {
    for (const SourceTensor& source : model_.source.tensors) add(source);
    for (const auto& [stem, places] : places_) {
      if (!written_.contains(stem)) add_own(stem, places);
    }
    if (written_.size() != places_.size()) {
      fail(Fault::unsupported, "model info: it does not tell in which tensors its weights were");
    }
    return write_safetensors(out_, metadata);
  }

 private:
  static std::string stem_of(const std::string& name) {
    for (const char* suffix : {"__bin", "__int4", "__int8", "__scale", "__shape", "__cols"}) {
      if (name.ends_with(suffix)) return name.substr(0, name.rfind("__"));
    }
    return name;
  }

  void add(const SourceTensor& source) {
    const std::string stem = stem_of(source.name);
    const auto found = places_.find(stem);
    if (found == places_.end()) return;  // a copy of another tensor that reading has dropped
    written_.insert(stem);
    const std::vector<Place>& places = found->second;
    if (const auto* plain = std::get_if<FloatTensor>(places.front().tensor)) {
      add_plain(source, places, plain->type);
      return;
    }
    const bool was_plain = source.name == stem;
    std::vector<TensorToWrite> group = pack_group(group_of(stem, places, source), conventions_);
    if (was_plain) {
      for (TensorToWrite& tensor : group) out_.push_back(std::move(tensor));
      return;
    }
    add_packed(source, group);
  }

  /// A tensor that was part of another one or lay otherwise in the file: under the name of its
  /// role.
  void add_own(const std::string& stem, const std::vector<Place>& places) {
    TensorKey key = places.front().key;
    if (key.layer >= 0) key.layer = model_.spec.layers[static_cast<std::size_t>(key.layer)].id;
    if (places.size() != 1 || stem != tensor_key_text(key)) return;
    const Shape shape = shape_of(*places.front().tensor);
    add({.name = stem, .type = "F32", .shape = {shape.rows, shape.cols}});
  }

  /// The part of the group that this source tensor is, in the shape that it had.
  void add_packed(const SourceTensor& source, std::vector<TensorToWrite>& group) {
    for (TensorToWrite& tensor : group) {
      if (tensor.name != source.name) continue;
      if (bytes_of(source, tensor) != tensor.bytes.size()) break;
      tensor.shape = source.shape;
      out_.push_back(std::move(tensor));
      return;
    }
    fail(Fault::unsupported, "tensor '{}': its shape does not fit its weights", source.name);
  }

  /// What the source's shape takes; the numbers come from a file.
  static std::uint64_t bytes_of(const SourceTensor& source, const TensorToWrite& written) {
    std::uint64_t size = written.type == "U8" ? 1 : written.type == "F16" ? 2 : 4;
    for (const std::int64_t extent : source.shape) {
      if (extent < 0 || __builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) {
        return 0;
      }
    }
    return size;
  }

  GroupToPack group_of(const std::string& stem, const std::vector<Place>& places,
                       const SourceTensor& source) const {
    GroupToPack group{.stem = stem, .matrices = {}, .stacked = false, .nibble_code = "offset8"};
    for (const Place& place : places) {
      const auto* coded = std::get_if<CodedTensor>(place.tensor);
      const bool alike = coded != nullptr && (group.matrices.empty() ||
                                              (coded->shape == group.matrices.front()->shape &&
                                               coded->format == group.matrices.front()->format));
      if (!alike) fail(Fault::unsupported, "tensor '{}': its matrices differ in width", stem);
      group.matrices.push_back(coded);
    }
    const std::size_t rank = source.shape.size();
    const bool is_expert = places.front().key.expert >= 0;
    group.stacked = places.size() > 1 || (is_expert && rank == 3);
    const Role role = places.front().key.role;
    const bool vocabulary = is_vocabulary_matrix(role);
    const std::string& code = conventions_.text(vocabulary ? "embedding-code" : "nibble-code");
    if (code != "auto") group.nibble_code = code;
    return group;
  }

  void add_plain(const SourceTensor& source, const std::vector<Place>& places, FloatType type) {
    std::string bytes;
    for (const Place& place : places) {
      const auto* plain = std::get_if<FloatTensor>(place.tensor);
      if (plain == nullptr || plain->type != type) {
        fail(Fault::unsupported, "tensor '{}': its matrices differ in type", source.name);
      }
      bytes += plain_bytes(*plain);
    }
    const char* name = type == FloatType::f32 ? "F32" : type == FloatType::f16 ? "F16" : "BF16";
    out_.push_back({source.name, name, source.shape, std::move(bytes)});
  }

  const Model& model_;
  Conventions conventions_;
  std::map<std::string, std::vector<Place>> places_;  // by stem, experts in order
  std::set<std::string> written_;
  std::vector<TensorToWrite> out_;
};

bool same_weights(const Tensor& a, const Tensor& b) {
  if (a.index() != b.index() || shape_of(a) != shape_of(b)) return false;
  if (const auto* plain = std::get_if<FloatTensor>(&a)) {
    return plain->values == std::get<FloatTensor>(b).values;
  }
  const auto &x = std::get<CodedTensor>(a), &y = std::get<CodedTensor>(b);
  // A narrow width may come back as the one that it was packed in.
  const auto same_level = [&](std::uint8_t p, std::uint8_t q) {
    return x.format.level(p) == y.format.level(q);
  };
  return x.row_scale == y.row_scale &&
         std::equal(x.codes.begin(), x.codes.end(), y.codes.begin(), y.codes.end(), same_level);
}

/// The same but for names: of the family and of layers.
bool same_spec(ModelSpec a, const ModelSpec& b) {
  a.family = b.family;
  for (std::size_t i = 0; i < std::min(a.layers.size(), b.layers.size()); ++i) {
    a.layers[i].id = b.layers[i].id;
  }
  return a == b;
}

bool same_model(const Model& a, const Model& b) {
  return same_spec(a.spec, b.spec) && a.tensors.size() == b.tensors.size() &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(),
                    [](const auto& p, const auto& q) {
                      return p.first == q.first && same_weights(p.second, q.second);
                    });
}

/// What a file says about the bytes of a model as it was written.
std::map<std::string, std::string> packing_of(const Model& model) {
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : model.conventions) {
    if (!is_convention(name)) continue;
    // Chosen by histogram when reading; what was written here is known.
    all[name] = value == "auto" ? "offset8" : value;
  }
  return all;
}

/// Nothing if it cannot be read so.
std::optional<Model> read_back(const CheckpointOut& out, Progress& progress) {
  CheckpointFiles files{.checkpoint = {"the exported file", as_bytes(out.checkpoint)}};
  if (!out.sidecar.empty()) files.sidecar = NamedBytes{"its sidecar", as_bytes(out.sidecar)};
  try {
    return import_from_memory(files, {}, progress);
  } catch (const Error& error) {
    // Without its conventions a file may be unreadable; with them it may not.
    if (!out.sidecar.empty()) throw;
    return std::nullopt;
  }
}

}  // namespace

CheckpointOut write_checkpoint(const Model& model, Progress& progress) {
  progress.report("packing weights", -1);
  const auto is_right = [&](const CheckpointOut& out) {
    const std::optional<Model> back = read_back(out, progress);
    return back && same_model(model, *back);
  };
  // As the file was, then with what it is not right without: its spec, then its conventions too.
  std::map<std::string, std::string> metadata = model.source.metadata;
  CheckpointOut out;
  if (!had_spec(metadata)) {
    out.checkpoint = Writer(model).write(metadata);
    if (is_right(out)) return out;
  }
  put_spec(model.spec, metadata);
  out.checkpoint = Writer(model).write(metadata);
  if (is_right(out)) return out;
  out.sidecar = sidecar_text(packing_of(model));
  if (!is_right(out)) {
    fail(Fault::bad_input, "model info: its conventions do not give its weights");
  }
  return out;
}

}  // namespace sb3lm
