#include "import/plan_file.h"

#include "base/error.h"
#include "import/json.h"

namespace sb3lm {
namespace {

constexpr int kFormat = 1;

int read_width(const std::string& file, const std::string& what, const Json& json) {
  const std::optional<int> bits = json_as<int>(json);
  if (!bits || *bits < 1 || *bits > 9) {
    fail(Fault::bad_input, "{}: '{}': {} is not a number of bits", file, what, json.dump());
  }
  return *bits;
}

std::vector<int> read_passes(const std::string& file, const Json& json) {
  const auto ids = json_as<std::vector<int>>(json);
  if (!ids || ids->empty()) {
    fail(Fault::bad_input, "{}: 'passes' is no list of layers' numbers", file);
  }
  return *ids;
}

void read_bits(const std::string& file, const Json& json, Recipe& recipe) {
  if (!json.is_object()) fail(Fault::bad_input, "{}: 'bits' is not an object", file);
  for (const auto& [name, width] : json.items()) {
    const int bits = read_width(file, name, width);
    try {
      recipe.bits[tensor_key_from_text(name)] = bits;
    } catch (const Error& problem) {
      fail(Fault::bad_input, "{}: {}", file, problem.what());
    }
  }
}

}  // namespace

Recipe read_plan(const std::string& file, std::string_view json) {
  const Json plan = parse_json(file, json);
  const JsonFields fields(plan, file);
  if (const int format = fields.get<int>("format"); format != kFormat) {
    fail(Fault::unsupported, "{}: format {}, this program reads {}", file, format, kFormat);
  }
  Recipe recipe;
  for (const auto& [key, value] : plan.items()) {
    if (key == "bits") {
      read_bits(file, value, recipe);
    } else if (key == "float_bits") {
      const auto bits = float_bits_from_text(fields.get<std::string>("float_bits"));
      if (!bits) fail(Fault::bad_input, "{}: 'float_bits' is none of 1 to 8 and float", file);
      recipe.float_bits = *bits;
    } else if (key == "passes") {
      recipe.passes = read_passes(file, value);
    } else if (key == "round_scales") {
      recipe.scale_bits = read_width(file, key, value);
    } else if (key == "router_bits") {
      recipe.router_bits = read_width(file, key, value);
    } else if (key != "format" && key != "about") {
      fail(Fault::bad_input, "{}: unknown field '{}'", file, key);
    }
  }
  return recipe;
}

std::string plan_text(const Recipe& recipe, const std::map<std::string, std::string>& about) {
  nlohmann::ordered_json plan = {{"format", kFormat}, {"about", about}};
  if (!recipe.passes.empty()) plan["passes"] = recipe.passes;
  if (recipe.float_bits) plan["float_bits"] = float_bits_text(recipe.float_bits);
  if (recipe.scale_bits != 0) plan["round_scales"] = recipe.scale_bits;
  if (recipe.router_bits != 0) plan["router_bits"] = recipe.router_bits;
  auto& bits = plan["bits"] = nlohmann::ordered_json::object();
  for (const auto& [key, width] : recipe.bits) bits[tensor_key_text(key)] = width;
  return plan.dump(2) + "\n";
}

}  // namespace sb3lm
