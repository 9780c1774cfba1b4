// Every encoding decoded in the real machines: blocks sum up what each tensor's text became, and
// the sums equal those of the tensors themselves.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <optional>

#include "base/half.h"
#include "lower/layout.h"
#include "lower/lower.h"
#include "quant/encoding.h"
#include "sb3/sb3.h"
#include "support/random_model.h"
#include "support/skip.h"
#include "support/tiny_model.h"
#include "support/vm_run.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

constexpr double kPrime = 2147483647;
constexpr double kUnit = 16777216;  // times this, every binary16 number is whole
constexpr int kContext = 16;

// What the blocks below compute: a polynomial in 31, so that order counts.
class Checksum {
 public:
  void add(double item) {
    sum_ = std::fmod(sum_ * 31 + item, kPrime);
    if (sum_ < 0) sum_ += kPrime;
  }
  double value() const { return sum_; }

 private:
  double sum_ = 0;
};

// Codes of all widths that the encoding holds, row scales, routers and norms.
Model model_of_all_widths(const CodeEncoding& encoding) {
  Model model = tiny_model("tiny-moe");
  Random random(7);
  int bits = 0;
  for (auto& [key, tensor] : model.tensors) {
    if (!std::holds_alternative<CodedTensor>(tensor)) continue;
    do bits = bits % 8 + 1;
    while (encoding.streams(bits) == 0);
    tensor = random_codes(random, shape_of(tensor), bits);
  }
  return model;
}

// A stretch of a list that holds one tensor's codes or numbers.
struct Stretch {
  bool codes;
  std::int64_t at, count;
};

std::vector<Stretch> stretches(const Layout& layout) {
  std::vector<Stretch> all;
  for (const TensorPlace& place : layout.tensors) {
    const std::int64_t rows = place.shape.rows;
    if (place.is_coded()) {
      all.push_back({true, place.codes_at, rows * place.groups() * place.format.bits});
      all.push_back({false, place.scales_at, rows});
    } else {
      all.push_back({false, place.scales_at, rows * place.stride});
    }
  }
  return all;
}

std::vector<double> expected_sums(const Model& model, const Layout& layout) {
  std::vector<double> sums;
  for (const TensorPlace& place : layout.tensors) {
    const Tensor& tensor = model.at(place.key);
    Checksum codes, numbers;
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      for (const double index : table_indices(*coded)) codes.add(index);
      sums.push_back(codes.value());
      for (const std::uint16_t scale : coded->row_scale) {
        numbers.add(half_to_double(scale) * place.scale_factor() * kUnit);
      }
    } else {
      for (int row = 0; row < place.shape.rows; ++row) {
        for (int col = 0; col < place.stride; ++col) {
          numbers.add(col < place.shape.cols ? weight_at(tensor, row, col) * kUnit : 0);
        }
      }
    }
    sums.push_back(numbers.value());
  }
  return sums;
}

// The finished project, with a script that sums up its lists once it is ready.
std::string summing_project(const Model& model, const CodeEncoding& encoding) {
  const std::string name(encoding.name);
  const Layout layout = make_layout(model, kContext, name);
  scratch::Program program = lower(model, {.context = kContext, .encoding = name});
  Sprite stage(program, 0), engine(program, 1);
  const auto sums = stage.list<Num>("sums");
  const auto done = stage.var<Num>("sums done"), at = stage.var<Num>("sum at"),
             sum = stage.var<Num>("sum");
  const List<Num> codes("_codes"), scales("_scales");
  const auto add_up = [&](const char* what, const List<Num>& list, double unit) {
    return engine.define<Num, Num>(what, {"at", "count"},
                                   [&](Script& s, Arg<Num> from, Arg<Num> count) {
                                     s.set(at, from + 0);
                                     s.set(sum, 0);
                                     s.repeat(count, [&](Script& s) {
                                       s.set(sum, mod(sum * 31 + list[at + 0] * unit, kPrime));
                                       s.change(at, 1);
                                     });
                                     s.append(sums, sum);
                                   });
  };
  const auto add_codes = add_up("sum up codes", codes, 1);
  const auto add_numbers = add_up("sum up numbers", scales, kUnit);
  engine.when_flag([&](Script& s) {
    s.wait_until(same_text(Var<Str>("status"), "ready"));
    for (const Stretch& stretch : stretches(layout)) {
      s.call(stretch.codes ? add_codes : add_numbers, static_cast<double>(stretch.at),
             static_cast<double>(stretch.count));
    }
    s.set(done, 1);
  });
  SilentProgress silent;
  return write_sb3(program, 1, silent);
}

std::vector<std::string> as_listed(const std::vector<double>& sums) {
  std::vector<std::string> items;
  for (const double sum : sums) {
    items.push_back(fmt::format("n:{:016x}", std::bit_cast<std::uint64_t>(sum)));
  }
  return items;
}

// The sums of every encoding's project in one machine; nothing if that cannot run here.
using Run = std::function<std::optional<std::vector<Lists>>(const std::vector<std::string>& sb3s)>;

void check_sums(const Run& run) {
  std::vector<std::string> names, sb3s;
  std::vector<std::vector<std::string>> expected;
  for (const CodeEncoding& encoding : code_encodings()) {
    const Model model = model_of_all_widths(encoding);
    names.emplace_back(encoding.name);
    sb3s.push_back(summing_project(model, encoding));
    expected.push_back(as_listed(expected_sums(model, make_layout(model, kContext, names.back()))));
    REQUIRE(expected.back().size() > 40);
  }
  const auto lists = run(sb3s);
  if (!lists) return;
  REQUIRE(lists->size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(lists->at(i).at("sums") == expected[i]);
  }
}

void check_vm(const std::string& vm) {
  check_sums([&](const std::vector<std::string>& sb3s) {
    auto lists = run_all_in_vm(SB3LM_SOURCE_DIR, vm, sb3s, {"sums"}, "sums done");
    if (!lists) skip_without(vm);
    return lists;
  });
}

}  // namespace

TEST_CASE("decoded codes and numbers of every encoding: block evaluator") {
  check_sums([](const std::vector<std::string>& sb3s) {
    std::vector<Lists> all;
    for (const std::string& sb3 : sb3s) {
      all.push_back(run_in_evaluator(sb3, {"sums"}, "sums done"));
    }
    return std::optional(std::move(all));
  });
}

TEST_CASE("decoded codes and numbers of every encoding: scratch-vm") {
  check_vm("scratch");
}

TEST_CASE("decoded codes and numbers of every encoding: TurboWarp") {
  check_vm("turbowarp");
}
