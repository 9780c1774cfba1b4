#include "runtime_ref/engine.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/vectors.h"

namespace sb3lm {
namespace {

using Vector = std::vector<double>;

void add_scaled(Vector& sum, double factor, const Vector& x) {
  sb3lm::add_scaled(sum.data(), factor, x.data(), sum.size());
}

void scale(double factor, Vector& x) {
  for (double& value : x) value *= factor;
}

void add(Vector& sum, const Tensor* bias) {
  for (std::size_t i = 0; bias != nullptr && i < sum.size(); ++i) {
    sum[i] += weight_at(*bias, 0, static_cast<int>(i));
  }
}

/// `weight` is of every head alike; null without.
void norm_heads(const AttentionSpec& spec, double eps, const Tensor* weight, Vector& heads) {
  if (spec.head_norm == HeadNorm::none) return;
  const auto size = static_cast<std::size_t>(spec.head_size);
  for (std::size_t at = 0; at < heads.size(); at += size) {
    const std::span<double> head = std::span(heads).subspan(at, size);
    ops::plain_norm(head, eps);
    for (std::size_t i = 0; weight != nullptr && i < size; ++i) {
      head[i] *= weight_at(*weight, 0, static_cast<int>(i));
    }
  }
}

void rotate_heads(const RopeSpec& rope, const ops::Rotation& rotation, int head_size,
                  Vector& heads) {
  const auto size = static_cast<std::size_t>(head_size);
  for (std::size_t at = 0; at < heads.size(); at += size) {
    ops::rope(rope, rotation, std::span(heads).subspan(at, size));
  }
}

}  // namespace

Engine::Engine(const Model& model, int context)
    : model_(model), spec_(model.spec), context_(context == 0 ? model.spec.context : context) {
  if (context_ < 1) fail(Fault::usage, "context {}: it must be at least 1", context_);
  spec_.check_context(context_);
  embedding_ = weights(Role::embedding);
  final_norm_ = {weights(Role::final_norm), weights(Role::final_norm_bias)};
  head_ = spec_.tied_head ? embedding_ : weights(Role::head);
  head_bias_ = weights(Role::head_bias);
  for (std::size_t i = 0; i < spec_.layers.size(); ++i)
    layers_.push_back(bind(static_cast<int>(i)));
  for (const int layer : spec_.passes) caches_.emplace_back(spec_.kv_width(layer));
  before_.resize(static_cast<std::size_t>(spec_.width));
  logits_.resize(static_cast<std::size_t>(spec_.vocabulary));
}

const Tensor* Engine::weights(Role role, int layer, int expert) const {
  const std::optional<Shape> shape = shape_of_role(role, spec_, layer);
  if (!shape) return nullptr;
  const auto found = model_.tensors.find({role, layer, expert});
  check(found != model_.tensors.end(), "the engine's model lacks a tensor that its spec asks for");
  check(shape_of(found->second) == *shape,
        "a tensor's shape is not the one that the spec asks for");
  return &found->second;
}

Engine::Layer Engine::bind(int layer) const {
  const FeedForwardSpec& ffn = spec_.layers[static_cast<std::size_t>(layer)].feed_forward;
  const auto of = [&](Role role) { return weights(role, layer); };
  const auto expert = [&](int e) {
    const auto part = [&](Role role) { return weights(role, layer, e); };
    return Block{.gate = part(Role::expert_gate),
                 .up = part(Role::expert_up),
                 .down = part(Role::expert_down),
                 .activation = ffn.activation};
  };
  Layer bound{.q = of(Role::q),
              .k = of(Role::k),
              .v = of(Role::v),
              .o = of(Role::o),
              .q_bias = of(Role::q_bias),
              .k_bias = of(Role::k_bias),
              .v_bias = of(Role::v_bias),
              .o_bias = of(Role::o_bias),
              .attention_norm = {of(Role::attention_norm), of(Role::attention_norm_bias)},
              .ffn_norm = {of(Role::ffn_norm), of(Role::ffn_norm_bias)},
              .q_norm = of(Role::q_norm),
              .k_norm = of(Role::k_norm),
              .attention_after_norm = of(Role::attention_after_norm),
              .ffn_after_norm = of(Role::ffn_after_norm),
              .router = of(Role::router),
              .shared_router = of(Role::shared_router),
              .skip_scale = of(Role::skip_scale),
              .stream_mix = of(Role::stream_mix),
              .start_mix = of(Role::start_mix),
              .value_scale = of(Role::value_layer_scale),
              .query_gain = of(Role::query_gain),
              .attention_scale = of(Role::attention_scale),
              .ffn_scale = of(Role::ffn_scale),
              .experts = {},
              .shared = {}};
  if (!ffn.is_mixture()) {
    bound.experts.push_back({of(Role::gate), of(Role::up), of(Role::down), of(Role::up_bias),
                             of(Role::down_bias), ffn.activation});
  }
  for (int e = 0; e < ffn.routed_experts; ++e) bound.experts.push_back(expert(e));
  if (ffn.shared_experts > 0) {
    bound.shared.push_back({.gate = of(Role::shared_gate),
                            .up = of(Role::shared_up),
                            .down = of(Role::shared_down),
                            .activation = ffn.activation});
  }
  return bound;
}

void Engine::reset() {
  position_ = 0;
  token_before_ = -1;
  std::fill(before_.begin(), before_.end(), 0.0);
  step_margin_ = smallest_margin_ = std::numeric_limits<double>::infinity();
  for (KvCache& cache : caches_) cache.clear();
}

Engine::Stream Engine::begin(int token) {
  check_tokens(*this, {&token, 1});
  Stream stream;
  stream.position = position_;
  stream.hidden = embed(token);
  stream.start = stream.hidden;
  if (spec_.value_size() > 0) {
    stream.value = look_up(Role::value_embedding, Role::value_proj, token);
    scale(weight_at(*weights(Role::value_scale), 0, 0), stream.value);
  }
  token_before_ = token;
  ++position_;
  return stream;
}

Engine::Stream Engine::run_passes(int token) {
  step_margin_ = std::numeric_limits<double>::infinity();
  Stream stream = begin(token);
  for (std::size_t pass = 0; pass < spec_.passes.size(); ++pass) run_pass(pass, stream);
  smallest_margin_ = std::min(smallest_margin_, step_margin_);
  return stream;
}

void Engine::step_without_logits(int token) {
  run_passes(token);
}

void Engine::run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) {
  check_tokens(*this, tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i + wanted < tokens.size()) {
      step_without_logits(tokens[i]);
    } else {
      take(i, step(tokens[i]));
    }
  }
}

std::span<const double> Engine::step(int token) {
  return logits(run_passes(token));
}

Vector Engine::head_input(const Stream& stream) const {
  return norm(final_norm_, 1, stream.hidden);
}

std::span<const double> Engine::logits(const Stream& stream) {
  const Vector x = head_input(stream);
  if (observer_ != nullptr) observer_->multiplied(*head_, x);
  ops::matvec(*head_, x, logits_);
  add(logits_, head_bias_);
  if (spec_.logit_cap > 0) {
    for (double& logit : logits_) logit = ops::capped(logit, spec_.logit_cap);
  }
  return logits_;
}

Vector Engine::multiply(const Tensor& w, const Vector& x) const {
  if (observer_ != nullptr) observer_->multiplied(w, x);
  Vector y(static_cast<std::size_t>(shape_of(w).rows));
  ops::matvec(w, x, y);
  return y;
}

Vector Engine::multiply_and_add(const Tensor& w, const Tensor* bias, const Vector& x) const {
  Vector y = multiply(w, x);
  add(y, bias);
  return y;
}

Vector Engine::look_up(Role table, Role proj, int row) const {
  const Tensor& rows = *weights(table);
  Vector found(static_cast<std::size_t>(shape_of(rows).cols));
  ops::dequantise_row(rows, row, found);
  const Tensor* matrix = weights(proj);
  return matrix == nullptr ? found : multiply(*matrix, found);
}

Vector Engine::embed(int token) {
  Vector x(before_.size());
  ops::dequantise_row(*embedding_, token, x);
  scale(spec_.embedding_scale, x);
  if (const Tensor* positions = weights(Role::position_embedding)) {
    Vector row(x.size());
    ops::dequantise_row(*positions, position_, row);
    add_scaled(x, 1, row);
  }
  if (spec_.bigram_buckets > 0) {
    const int row = bigram_row(spec_.bigram_buckets, token, token_before_);
    add_scaled(x, weight_at(*weights(Role::bigram_scale), 0, 0),
               look_up(Role::bigram_embedding, Role::bigram_proj, row));
  }
  if (spec_.start_norm) ops::plain_norm(x, spec_.norm_eps);
  if (!spec_.smear) return x;
  const Tensor& gate = *weights(Role::smear_share);
  Vector smeared(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double g = ops::sigmoid(weight_at(gate, 0, static_cast<int>(i)));
    smeared[i] = (1 - g) * x[i] + g * before_[i];
  }
  before_ = x;
  return smeared;
}

Vector Engine::norm(const Norm& by, double factor, const Vector& x) const {
  Vector centred = x;
  if (spec_.norm == NormKind::layer) ops::centre(centred);
  Vector y = rms_norm(by.weight, centred);
  scale(factor, y);
  add(y, by.bias);
  return y;
}

Vector Engine::rms_norm(const Tensor* w, const Vector& x) const {
  Vector y = x;
  if (w == nullptr) {
    ops::plain_norm(y, spec_.norm_eps);
  } else {
    ops::rms_norm(*w, x, spec_.norm_eps, y);
  }
  return y;
}

Vector Engine::branch(const LayerSpec& spec, const Tensor* norm, const Tensor* numbers,
                      Vector x) const {
  return scaled(spec.after_norms ? rms_norm(norm, x) : std::move(x), numbers);
}

Vector Engine::scaled(Vector x, const Tensor* numbers) {
  for (std::size_t i = 0; numbers != nullptr && i < x.size(); ++i) {
    x[i] *= weight_at(*numbers, 0, static_cast<int>(i));
  }
  return x;
}

void Engine::join(std::size_t pass, const Layer& layer, Stream& stream) const {
  Vector& hidden = stream.hidden;
  if (const int from = spec_.skip_before(static_cast<int>(pass)); from >= 0) {
    add_scaled(hidden, 1, scaled(stream.left[static_cast<std::size_t>(from)], layer.skip_scale));
  }
  if (layer.stream_mix == nullptr) return;
  hidden = scaled(hidden, layer.stream_mix);
  add_scaled(hidden, 1, scaled(stream.start, layer.start_mix));
}

void Engine::run_pass(std::size_t pass, Stream& stream) {
  for (const Part part : kParts) run_part(pass, part, stream);
}

void Engine::run_part(std::size_t pass, Part part, Stream& stream) {
  const auto index = static_cast<std::size_t>(spec_.passes[pass]);
  const Layer& layer = layers_[index];
  const LayerSpec& spec = spec_.layers[index];
  switch (part) {
    case Part::norm:
      join(pass, layer, stream);
      stream.normed = norm(layer.attention_norm, spec.norm_factor, stream.hidden);
      break;
    case Part::attend:
      attend(pass, stream);
      break;
    case Part::add_attention:
      add_attention(spec, layer, stream);
      stream.chosen = route(spec.feed_forward, layer, stream.normed);
      break;
    case Part::bend:
      for (Choice& choice : stream.chosen) {
        choice.inner = bend(block_of(layer, choice), stream.normed);
      }
      break;
    case Part::add_feed_forward:
      add_feed_forward(spec, layer, stream);
      if (spec_.skips) stream.left.push_back(stream.hidden);
      break;
  }
}

void Engine::attend(std::size_t pass, Stream& stream) {
  const auto index = static_cast<std::size_t>(spec_.passes[pass]);
  const AttentionSpec& spec = spec_.layers[index].attention;
  const Layer& layer = layers_[index];
  Vector q = multiply_and_add(*layer.q, layer.q_bias, stream.normed);
  Vector k = multiply_and_add(*layer.k, layer.k_bias, stream.normed);
  Vector v = multiply_and_add(*layer.v, layer.v_bias, stream.normed);
  if (spec.value_embedding) add_scaled(v, weight_at(*layer.value_scale, 0, 0), stream.value);
  norm_heads(spec, spec_.norm_eps, layer.q_norm, q);
  norm_heads(spec, spec_.norm_eps, layer.k_norm, k);
  const ops::Rotation rotation = ops::rotation_at(spec.rope, stream.position);
  rotate_heads(spec.rope, rotation, spec.head_size, q);
  rotate_heads(spec.rope, rotation, spec.head_size, k);
  for (std::size_t i = 0; layer.query_gain != nullptr && i < q.size(); ++i) {
    q[i] *= weight_at(*layer.query_gain, 0, static_cast<int>(i) / spec.head_size);
  }
  caches_[pass].append(k, v);
  stream.mixed.assign(q.size(), 0.0);
  ops::attention(spec, q, caches_[pass], stream.mixed);
  if (spec.exclusive) ops::exclude(spec, v, stream.mixed);
}

/// To the residual stream; then the norm that the feed forward reads.
void Engine::add_attention(const LayerSpec& spec, const Layer& layer, Stream& stream) const {
  const Vector attended = branch(spec, layer.attention_after_norm, layer.attention_scale,
                                 multiply_and_add(*layer.o, layer.o_bias, stream.mixed));
  const Vector before = stream.hidden;
  add_scaled(stream.hidden, 1, attended);
  if (spec.residual == Residual::parallel_one_norm) return;
  const bool parallel = spec.residual == Residual::parallel;
  stream.normed = norm(layer.ffn_norm, spec.norm_factor, parallel ? before : stream.hidden);
}

void Engine::add_feed_forward(const LayerSpec& spec, const Layer& layer, Stream& stream) const {
  Vector sum(stream.hidden.size());
  for (const Choice& choice : stream.chosen) {
    const Block& block = block_of(layer, choice);
    Vector added = multiply_and_add(*block.down, block.down_bias, choice.inner);
    if (layer.router == nullptr) {
      added = branch(spec, layer.ffn_after_norm, layer.ffn_scale, std::move(added));
    }
    add_scaled(sum, choice.share, added);
  }
  add_scaled(stream.hidden, 1, sum);
}

const Engine::Block& Engine::block_of(const Layer& layer, const Choice& choice) {
  return choice.expert == kShared ? layer.shared.front()
                                  : layer.experts[static_cast<std::size_t>(choice.expert)];
}

Vector Engine::bend(const Block& block, const Vector& x) const {
  const Vector up = multiply_and_add(*block.up, block.up_bias, x);
  Vector inner = block.gate != nullptr ? multiply(*block.gate, x) : up;
  for (double& value : inner) value = ops::activate(block.activation, value);
  for (std::size_t i = 0; block.gate != nullptr && i < inner.size(); ++i) inner[i] *= up[i];
  return inner;
}

std::vector<Engine::Choice> Engine::route(const FeedForwardSpec& spec, const Layer& layer,
                                          const Vector& x) {
  if (layer.router == nullptr) return {Choice{}};
  Vector score = multiply(*layer.router, x);
  const std::vector<int> chosen = ops::top_k(score, spec.top_k);
  step_margin_ = std::min(step_margin_, ops::choice_margin(score, chosen));
  if (spec.router_norm == RouterNorm::all) ops::softmax(score);
  Vector share;
  for (const int expert : chosen) share.push_back(score[static_cast<std::size_t>(expert)]);
  if (spec.router_norm == RouterNorm::chosen) ops::softmax(share);
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < chosen.size(); ++i) choices.push_back({chosen[i], share[i], {}});
  if (!layer.shared.empty()) {
    const Tensor* gate = layer.shared_router;
    choices.push_back({kShared, gate == nullptr ? 1 : ops::sigmoid(multiply(*gate, x)[0]), {}});
  }
  return choices;
}

std::size_t Engine::bytes() const {
  std::size_t sum = (before_.capacity() + logits_.capacity()) * sizeof(double);
  for (const KvCache& cache : caches_) sum += cache.bytes();
  return sum;
}

double top1_margin(std::span<const double> logits) {
  const std::array chosen{ops::argmax(logits)};
  return ops::choice_margin(logits, chosen);
}

}  // namespace sb3lm
