// What one thread of plain scalar C++ needs per token: the model's forward pass in floats, on float
// weights made from the codes beforehand, every product a loop `sum += w[i] * x[i]`. A yardstick
// for the blocks' speed, not an oracle; its logits are checked loosely against the double engine.
//
//   scalar_float CHECKPOINT [--tokens N] [--context N]     prints JSON; --tokens: to time
//   scalar_float --smoke                                   a tiny model, checked only
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "pack.h"
#include "runtime_ref/engine.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;
using Vector = std::vector<float>;

// Logits of floats against doubles, relative to the largest.
constexpr double kTolerance = 1e-3;

struct Matrix {
  int rows = 0, cols = 0;
  Vector w;
};

// The measured loop. Without -ffast-math a compiler must add in this order, so it cannot vectorise.
void multiply(const Matrix& m, const float* x, Vector& y) {
  y.resize(static_cast<std::size_t>(m.rows));
  const float* w = m.w.data();
  for (int row = 0; row < m.rows; ++row) {
    float sum = 0;
    for (int col = 0; col < m.cols; ++col) sum += w[col] * x[col];
    y[static_cast<std::size_t>(row)] = sum;
    w += m.cols;
  }
}

void softmax(float* x, int count) {
  const float largest = *std::max_element(x, x + count);
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += x[i] = std::exp(x[i] - largest);
  for (int i = 0; i < count; ++i) x[i] /= sum;
}

class FloatForward {
 public:
  FloatForward(const Model& model, int context) : spec_(model.spec), context_(context) {
    for (const auto& [key, shape] : expected_tensors(spec_)) {
      Matrix& m = weights_[key];
      m.rows = shape.rows;
      m.cols = shape.cols;
      const Tensor& tensor = model.at(key);
      for (int row = 0; row < shape.rows; ++row) {
        for (int col = 0; col < shape.cols; ++col) {
          m.w.push_back(static_cast<float>(weight_at(tensor, row, col)));
        }
      }
    }
    for (const int layer : spec_.passes) {
      const auto size = static_cast<std::size_t>(context) * spec_.kv_width(layer);
      keys_.emplace_back(size);
      values_.emplace_back(size);
    }
  }

  const Vector& step(int token) {
    const auto width = static_cast<std::size_t>(spec_.width);
    const float* row = at(Role::embedding).w.data() + static_cast<std::size_t>(token) * width;
    x_.assign(row, row + width);
    for (std::size_t pass = 0; pass < spec_.passes.size(); ++pass) {
      const int layer = spec_.passes[pass];
      norm(at(Role::attention_norm, layer));
      attend(pass, layer);
      norm(at(Role::ffn_norm, layer));
      feed_forward(layer);
    }
    norm(at(Role::final_norm));
    multiply(at(spec_.tied_head ? Role::embedding : Role::head), normed_.data(), logits_);
    ++position_;
    return logits_;
  }

  /// Multiplications per token, without attention.
  double weights_per_token() const {
    double sum = static_cast<double>(spec_.width) * spec_.vocabulary;
    for (const int layer : spec_.passes) {
      const FeedForwardSpec& f = spec_.layers[static_cast<std::size_t>(layer)].feed_forward;
      for (const Role role : {Role::q, Role::k, Role::v, Role::o}) {
        sum += static_cast<double>(at(role, layer).w.size());
      }
      const int hidden =
          f.is_mixture() ? f.top_k * f.hidden + f.shared_experts * f.shared_hidden : f.hidden;
      sum += static_cast<double>(spec_.width) * (3 * hidden + f.routed_experts);
    }
    return sum;
  }

 private:
  const Matrix& at(Role role, int layer = -1, int expert = -1) const {
    return weights_.at({role, layer, expert});
  }

  void norm(const Matrix& weight) {
    float sum = 0;
    for (const float value : x_) sum += value * value;
    const float factor =
        1 / std::sqrt(sum / static_cast<float>(spec_.width) + static_cast<float>(spec_.norm_eps));
    normed_.resize(x_.size());
    for (std::size_t i = 0; i < x_.size(); ++i) normed_[i] = x_[i] * factor * weight.w[i];
  }

  void rotate(const RopeSpec& rope, int head_size, Vector& heads) const {
    if (rope.layout == RopeLayout::none) return;
    const int pairs = rope.dims / 2;
    const bool interleaved = rope.layout == RopeLayout::interleaved;
    for (int j = 0; j < pairs; ++j) {
      const double angle = rope.sign * position_ * std::pow(rope.base, -2.0 * j / rope.dims);
      const auto cosine = static_cast<float>(std::cos(angle));
      const auto sine = static_cast<float>(std::sin(angle));
      for (std::size_t head = 0; head < heads.size(); head += static_cast<std::size_t>(head_size)) {
        float& a = heads[head + static_cast<std::size_t>(interleaved ? 2 * j : j)];
        float& b = heads[head + static_cast<std::size_t>(interleaved ? 2 * j + 1 : j + pairs)];
        const float first = a;
        a = first * cosine - b * sine;
        b = first * sine + b * cosine;
      }
    }
  }

  void attend(std::size_t pass, int layer) {
    const AttentionSpec& spec = spec_.layers[static_cast<std::size_t>(layer)].attention;
    const int size = spec.head_size, kv_width = spec_.kv_width(layer);
    multiply(at(Role::q, layer), normed_.data(), q_);
    multiply(at(Role::k, layer), normed_.data(), k_);
    multiply(at(Role::v, layer), normed_.data(), v_);
    rotate(spec.rope, size, q_);
    rotate(spec.rope, size, k_);
    float* keys = keys_[pass].data();
    float* values = values_[pass].data();
    std::copy(k_.begin(), k_.end(), keys + position_ * kv_width);
    std::copy(v_.begin(), v_.end(), values + position_ * kv_width);
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    mixed_.assign(q_.size(), 0);
    scores_.resize(static_cast<std::size_t>(context_));
    for (int head = 0; head < spec.query_heads; ++head) {
      const float* q = q_.data() + head * size;
      const int kv = head / (spec.query_heads / spec.kv_heads) * size;
      for (int p = 0; p <= position_; ++p) {
        const float* key = keys + p * kv_width + kv;
        float sum = 0;
        for (int i = 0; i < size; ++i) sum += q[i] * key[i];
        scores_[static_cast<std::size_t>(p)] = sum * scale;
      }
      softmax(scores_.data(), position_ + 1);
      float* mixed = mixed_.data() + head * size;
      for (int p = 0; p <= position_; ++p) {
        const float* value = values + p * kv_width + kv;
        for (int i = 0; i < size; ++i) mixed[i] += scores_[static_cast<std::size_t>(p)] * value[i];
      }
    }
    multiply(at(Role::o, layer), mixed_.data(), out_);
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] += out_[i];
  }

  void swiglu(Role gate, int layer, int expert, float factor) {
    const auto after = [&](int step) { return static_cast<Role>(static_cast<int>(gate) + step); };
    multiply(at(gate, layer, expert), normed_.data(), gate_);
    multiply(at(after(1), layer, expert), normed_.data(), up_);
    for (std::size_t i = 0; i < gate_.size(); ++i) {
      gate_[i] = gate_[i] / (1 + std::exp(-gate_[i])) * up_[i];
    }
    multiply(at(after(2), layer, expert), gate_.data(), out_);
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] += factor * out_[i];
  }

  void feed_forward(int layer) {
    const FeedForwardSpec& spec = spec_.layers[static_cast<std::size_t>(layer)].feed_forward;
    if (!spec.is_mixture()) {
      swiglu(Role::gate, layer, -1, 1);
      return;
    }
    multiply(at(Role::router, layer), normed_.data(), routed_);
    const std::vector<double> logits(routed_.begin(), routed_.end());
    const std::vector<int> chosen = ops::top_k(logits, spec.top_k);
    if (spec.router_norm == RouterNorm::all) softmax(routed_.data(), spec.routed_experts);
    Vector factors;
    for (const int expert : chosen) factors.push_back(routed_[static_cast<std::size_t>(expert)]);
    if (spec.router_norm == RouterNorm::chosen) softmax(factors.data(), spec.top_k);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      swiglu(Role::expert_gate, layer, chosen[i], factors[i]);
    }
    if (spec.shared_experts > 0) swiglu(Role::shared_gate, layer, -1, 1);
  }

  const ModelSpec& spec_;
  int context_, position_ = 0;
  std::map<TensorKey, Matrix> weights_;
  std::vector<Vector> keys_, values_;  // per pass
  Vector x_, normed_, q_, k_, v_, scores_, mixed_, out_, gate_, up_, routed_, logits_;
};

// Largest difference from the double engine's logits, relative to the largest of them.
double difference(const Model& model, const std::vector<int>& tokens) {
  FloatForward forward(model, static_cast<int>(tokens.size()));
  Engine engine(model);
  double worst = 0;
  for (const int token : tokens) {
    const Vector& floats = forward.step(token);
    const std::span<const double> doubles = engine.step(token);
    double largest = 0, off = 0;
    for (std::size_t i = 0; i < floats.size(); ++i) {
      largest = std::max(largest, std::fabs(doubles[i]));
      off = std::max(off, std::fabs(floats[i] - doubles[i]));
    }
    worst = std::max(worst, off / largest);
  }
  return worst;
}

double checked_difference(const Model& model) {
  const int vocabulary = model.spec.vocabulary;
  const double off = difference(model, {0, vocabulary / 3, vocabulary / 2, vocabulary - 1});
  if (!(off < kTolerance)) fail(Fault::mismatch, "logits differ from the engine's by {}", off);
  return off;
}

void measure(const Model& model, int tokens, int context) {
  const double off = checked_difference(model);
  FloatForward forward(model, context);
  std::vector<double> ms;
  int token = 0;
  for (int i = 0; i < tokens; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Vector& logits = forward.step(token);
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - start;
    ms.push_back(spent.count());
    token = static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  std::sort(ms.begin(), ms.end());
  const double median = ms[ms.size() / 2];
  const double weights = forward.weights_per_token();
  fmt::print(
      "{{\"ms_per_token\": {:.3f}, \"fastest_ms\": {:.3f}, \"slowest_ms\": {:.3f}, \"tokens\": {}, "
      "\"weights_per_token\": {:.0f}, \"ns_per_weight\": {:.3f}, \"max_rel_error\": {:.2g}}}\n",
      median, ms.front(), ms.back(), tokens, weights, median * 1e6 / weights, off);
}

int number_after(int argc, char** argv, const char* option, int otherwise) {
  for (int i = 2; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], option) == 0) return std::atoi(argv[i + 1]);
  }
  return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  SilentProgress silent;
  try {
    if (argc < 2)
      fail(Fault::usage, "scalar_float CHECKPOINT [--tokens N] [--context N] | --smoke");
    const int tokens = number_after(argc, argv, "--tokens", 60);
    const int context = number_after(argc, argv, "--context", 128);
    if (tokens < 1 || tokens > context) fail(Fault::usage, "--tokens: 1 to the context");
    if (std::strcmp(argv[1], "--smoke") == 0) {
      checked_difference(tiny_model("tiny-moe"));
      checked_difference(tiny_model("tiny-dense-untied"));
    } else {
      measure(load_model(argv[1], {}, {}, silent), tokens, context);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "scalar_float: {}\n", error.what());
    return 1;
  }
}
