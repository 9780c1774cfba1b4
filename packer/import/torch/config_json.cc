
#include "import/torch/config_json.h"

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 32;
constexpr int kMaxValues = 100'000;  // values may be in several places

class Converter {
 public:
  Converter(const Pickle& pickle, const std::string& where) : pickle_(pickle), where_(where) {}

  Json convert(PickleId id, int depth) {
    if (depth > kMaxDepth || ++count_ > kMaxValues) {
      fail(Fault::bad_input, "{}: it is nested deeper than {}, or holds more than {} values",
           where_, kMaxDepth, kMaxValues);
    }
    const PickleValue& value = pickle_[id];
    switch (value.kind) {
      case Kind::boolean:
        return value.integer != 0;
      case Kind::integer:
        return value.integer;
      case Kind::real:
        return value.real;
      case Kind::text:
        return value.text;
      case Kind::tuple:
      case Kind::list:
        return list(value, depth);
      case Kind::dict:
        return object(value, depth);
      case Kind::record:
        return value.items.empty() ? Json::object() : convert(value.items[0], depth + 1);
      default:
        return nullptr;
    }
  }

 private:
  Json list(const PickleValue& value, int depth) {
    Json json = Json::array();
    for (const PickleId item : value.items) json.push_back(convert(item, depth + 1));
    return json;
  }

  Json object(const PickleValue& value, int depth) {
    Json json = Json::object();
    for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
      const PickleValue& name = pickle_[value.items[i]];
      if (name.kind == Kind::text) {
        json[std::string(name.text)] = convert(value.items[i + 1], depth + 1);
      }
    }
    return json;
  }

  const Pickle& pickle_;
  const std::string& where_;
  int count_ = 0;
};

}  // namespace

std::string config_json(const Pickle& pickle, PickleId id, const std::string& where) {
  return Converter(pickle, where).convert(id, 0).dump();
}

}  // namespace sb3lm
