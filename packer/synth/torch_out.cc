#include "synth/torch_out.h"

#include <array>
#include <map>

#include "base/error.h"
#include "import/container.h"
#include "import/json.h"
#include "synth/torch_pickle.h"
#include "synth/torch_zip.h"

namespace sb3lm {
namespace {

std::string_view storage_class(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kClasses{
      {{"F32", "FloatStorage"},
       {"F16", "HalfStorage"},
       {"BF16", "BFloat16Storage"},
       {"I8", "CharStorage"}}};
  for (const auto& [name, storage] : kClasses) {
    if (name == type) return storage;
  }
  fail(Fault::bug, "internal error: torch tensors of type {} are not written", type);
}

class TorchWriter {
 public:
  explicit TorchWriter(const TorchForm& form) : form_(form) {}

  std::string write(const std::vector<TorchTensor>& tensors) {
    switch (form_.layout) {
      case TorchLayout::state:
        state(tensors);
        break;
      case TorchLayout::model:
        model(tensors);
        break;
      case TorchLayout::records:
        records(tensors);
        break;
      case TorchLayout::clean:
        clean(tensors);
        break;
    }
    const std::string pickle = std::move(pickle_).finish();
    std::vector<TorchRecord> records = {{"data.pkl", pickle}, {"byteorder", "little"}};
    for (std::size_t key = 0; key < storages_.size(); ++key) {
      records.push_back({fmt::format("data/{}", key), storages_[key]});
    }
    records.push_back({"version", "3\n"});
    return zip_records(form_.folder, records);
  }

 private:
  void value(std::string_view type, const std::vector<std::int64_t>& shape,
             std::string_view bytes) {
    pickle_.tensor({storage_class(type), fmt::format("{}", storages_.size()), shape});
    storages_.push_back(bytes);
  }

  void plain(const TorchTensor& tensor) {
    pickle_.text(tensor.name);
    if (tensor.shares.empty()) {
      keys_[tensor.name] = fmt::format("{}", storages_.size());
      value(tensor.type, tensor.shape, tensor.bytes);
    } else {
      pickle_.tensor({storage_class(tensor.type), keys_.at(tensor.shares), tensor.shape});
    }
  }

  void scales(const std::string& name, const TorchTensor& tensor) {
    pickle_.text(name);
    const auto count = static_cast<std::int64_t>(tensor.row_scales.size() / 2);
    const bool for_all = count == 1 && (tensor.shape.empty() || tensor.shape[0] != 1);
    value("F16", for_all ? std::vector<std::int64_t>{} : std::vector{count}, tensor.row_scales);
  }

  void state(const std::vector<TorchTensor>& tensors) {
    pickle_.begin_ordered_dict();
    for (const TorchTensor& tensor : tensors) plain(tensor);
    pickle_.end_dict();
  }

  void model(const std::vector<TorchTensor>& tensors) {
    pickle_.begin_dict();
    pickle_.text("cfg");
    const std::size_t space = form_.config_class.find(' ');
    if (space != std::string::npos) {
      const std::string_view name = form_.config_class;
      pickle_.begin_object(name.substr(0, space), name.substr(space + 1));
    }
    pickle_.json(parse_json("the configuration", form_.config));
    if (space != std::string::npos) pickle_.end_object();
    pickle_.text("model");
    state(tensors);
    pickle_.end_dict();
  }

  void records(const std::vector<TorchTensor>& tensors) {
    pickle_.begin_dict();
    pickle_.text("w");
    pickle_.begin_dict();
    for (const TorchTensor& tensor : tensors) {
      if (tensor.row_scales.empty()) {
        plain(tensor);
        continue;
      }
      pickle_.text(tensor.name + ".q");
      value(tensor.type, tensor.shape, tensor.bytes);
      scales(tensor.name + ".scale", tensor);
    }
    pickle_.end_dict();
    pickle_.text("m");
    pickle_.begin_dict();
    for (const TorchTensor& tensor : tensors) {
      pickle_.text(tensor.name);
      pickle_.json(tensor.row_scales.empty() ? Json("passthrough") : Json{{"type", tensor.how}});
    }
    pickle_.end_dict();
    pickle_.end_dict();
  }

  void clean(const std::vector<TorchTensor>& tensors) {
    pickle_.begin_dict();
    pickle_.text("__quant_format__");
    pickle_.text("int8_clean_per_row_v1");
    const auto part = [&](const char* name, bool coded, const auto& put) {
      pickle_.text(name);
      pickle_.begin_dict();
      for (const TorchTensor& tensor : tensors) {
        if (tensor.row_scales.empty() != coded) put(tensor);
      }
      pickle_.end_dict();
    };
    part("quantized", true, [&](const TorchTensor& tensor) {
      pickle_.text(tensor.name);
      value(tensor.type, tensor.shape, tensor.bytes);
    });
    part("scales", true, [&](const TorchTensor& tensor) { scales(tensor.name, tensor); });
    part("dtypes", true, [&](const TorchTensor& tensor) {
      pickle_.text(tensor.name);
      pickle_.text("float32");
    });
    part("passthrough", false, [&](const TorchTensor& tensor) { plain(tensor); });
    pickle_.end_dict();
  }

  const TorchForm& form_;
  PickleWriter pickle_;
  std::vector<std::string_view> storages_;
  std::map<std::string, std::string> keys_;  // of plain tensors' storages
};

}  // namespace

std::string write_torch(const std::vector<TorchTensor>& tensors, const TorchForm& form) {
  return compress(TorchWriter(form).write(tensors), form.compression);
}

}  // namespace sb3lm
