#include "runtime_ref/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

using namespace sb3lm;
using Vector = std::vector<double>;

namespace {

/// How often each id comes out of `draws` samples.
std::map<int, int> counts(const SamplingOptions& options, const Vector& logits, int draws) {
  Sampler sampler(options, static_cast<int>(logits.size()));
  std::map<int, int> result;
  for (int i = 0; i < draws; ++i) ++result[sampler.sample(logits)];
  return result;
}

Vector logs(std::initializer_list<double> probabilities) {
  Vector result;
  for (const double p : probabilities) result.push_back(std::log(p));
  return result;
}

}  // namespace

TEST_CASE("the generator is the minimal standard one") {
  Lehmer random(0);  // x starts at 1
  CHECK(random.draw() == 16807.0 / 2147483647);
  for (int i = 2; i < 10000; ++i) random.draw();
  CHECK(random.draw() == 1043618065.0 / 2147483647);  // the published 10,000th value
}

TEST_CASE("seeds of any size and sign start inside the range") {
  const auto first = [](double seed) { return Lehmer(seed).draw() * 2147483647; };
  CHECK(first(1) == doctest::Approx(2 * 16807));
  CHECK(first(1.9) == first(1));
  CHECK(first(-0.5) == first(1));  // floor(-0.5) is -1
  CHECK(first(2147483646) == first(0));
  CHECK(first(-2147483647.0) == first(1));
  CHECK(first(1e300) > 0);
}

TEST_CASE("temperature 0 takes the largest logit, the lowest id among equals") {
  Sampler sampler({}, 4);
  CHECK(sampler.sample(Vector{1, 5, 5, 2}) == 1);
}

TEST_CASE("the repetition penalty applies once to every seen id") {
  Sampler sampler({.repetition_penalty = 2}, 3);
  sampler.saw(0);
  sampler.saw(0);
  CHECK(sampler.sample(Vector{9, 4, 0}) == 0);       // 4.5 against 4
  CHECK(sampler.sample(Vector{7, 4, 0}) == 1);       // 3.5 against 4
  CHECK(sampler.sample(Vector{-1, -1.5, -9}) == 1);  // -2 against -1.5
  CHECK(sampler.sample(Vector{8, 4, 0}) == 0);       // a tie
}

TEST_CASE("frequencies follow the softmax, and the seed alone decides") {
  const Vector logits = logs({0.5, 0.3, 0.2});
  const auto plain = counts({.temperature = 1, .seed = 3}, logits, 20000);
  CHECK(plain.at(0) == doctest::Approx(10000).epsilon(0.03));
  CHECK(plain.at(1) == doctest::Approx(6000).epsilon(0.03));
  CHECK(plain == counts({.temperature = 1, .seed = 3}, logits, 20000));
  CHECK(plain != counts({.temperature = 1, .seed = 4}, logits, 20000));
  const auto cold = counts({.temperature = 0.5}, logits, 20000);  // 25 : 9 : 4
  CHECK(cold.at(0) == doctest::Approx(20000 * 25.0 / 38).epsilon(0.03));
}

TEST_CASE("top k keeps the lower ids among equals, and draws by ascending id") {
  const auto two = counts({.temperature = 1, .top_k = 2}, logs({0.2, 0.4, 0.2, 0.2}), 9000);
  CHECK(two.size() == 2);
  CHECK(two.at(0) == doctest::Approx(3000).epsilon(0.05));
  CHECK(two.at(1) == doctest::Approx(6000).epsilon(0.05));

  Sampler sampler({.temperature = 1, .seed = 0}, 3);  // the first draw is 16807 / 2147483647
  CHECK(sampler.sample(logs({0.1, 0.8, 0.1})) == 0);
}

TEST_CASE("top p keeps the shortest descending prefix that reaches it") {
  const Vector logits = logs({0.125, 0.5, 0.125, 0.25});
  const auto kept = [&](double p) { return counts({.temperature = 1, .top_p = p}, logits, 4000); };
  CHECK(kept(0).size() == 1);
  CHECK(kept(0.4).at(1) == 4000);
  CHECK(kept(0.7).size() == 2);
  CHECK(kept(0.7).at(1) == doctest::Approx(4000 * 2.0 / 3).epsilon(0.05));
  CHECK(kept(0.8).size() == 3);
  CHECK(kept(0.8).count(2) == 0);  // the lower id of two equals comes first
  CHECK(kept(0.9).size() == 4);
  CHECK(kept(1).size() == 4);
}

TEST_CASE("options outside their range are named") {
  const auto refused = [](const SamplingOptions& options) {
    try {
      Sampler(options, 2);
    } catch (const Error& error) {
      CHECK(error.fault == Fault::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused({.temperature = -1}) == "temperature -1: it must be 0 or more");
  CHECK(refused({.top_k = -1}) == "top k -1: it must be 0 (off) or more");
  CHECK(refused({.top_p = std::nan("")}).starts_with("top p nan"));
  CHECK(refused({.repetition_penalty = 0}).starts_with("repetition penalty 0"));
  CHECK(refused({.seed = std::numeric_limits<double>::infinity()}).starts_with("seed inf"));
  CHECK(refused({}).empty());
}
