// Writes pickles of protocol 2, value after value; what is inside a container comes right after it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

/// What a pickle says of a tensor: row-major, from the first element of its storage.
struct PickledTensor {
  std::string_view storage_class;  // "HalfStorage"
  std::string key;                 // of the record that holds its storage
  std::vector<std::int64_t> shape;
};

class PickleWriter {
 public:
  PickleWriter() { out_ = "\x80\x02"; }

  void text(std::string_view text);
  void integer(std::int64_t value);
  void global(std::string_view module, std::string_view name);
  /// Of plain values; objects become dicts.
  void json(const nlohmann::json& value);
  void tensor(const PickledTensor& tensor);

  void begin_dict() { out_ += "}("; }
  void begin_ordered_dict();
  /// Between the two: keys and values in turn.
  void end_dict() { out_ += 'u'; }

  /// An object of a class, then the dict of its fields, then end.
  void begin_object(std::string_view module, std::string_view name);
  void end_object() { out_ += 'b'; }

  std::string finish() && { return std::move(out_) + '.'; }

 private:
  void integers(const std::vector<std::int64_t>& values);

  std::string out_;
};

}  // namespace sb3lm
