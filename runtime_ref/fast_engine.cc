#include "runtime_ref/fast_engine.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "runtime_ref/ops.h"

namespace sb3lm {
namespace {

using fast::Inputs;
using fast::padded_to;

// Enough to read weights once for many tokens; more would only need more memory.
constexpr std::size_t kBatch = 32;

std::size_t size_of(int count) {
  return static_cast<std::size_t>(count);
}

std::size_t query_width(const AttentionSpec& spec) {
  return size_of(spec.query_heads) * size_of(spec.head_size);
}

std::vector<double> turns_of(const RopeSpec& rope) {
  std::vector<double> turns;
  if (rope.layout == RopeLayout::none) return turns;
  for (int j = 0; j < rope.dims / 2; ++j) {
    turns.push_back(rope.sign * std::pow(rope.base, -2.0 * j / rope.dims));
  }
  return turns;
}

/// An empty bias adds nothing.
void add_bias(const std::vector<float>& bias, float* vector) {
  for (std::size_t i = 0; i < bias.size(); ++i) vector[i] += bias[i];
}

/// (a, b) -> (a cos - b sin, a sin + b cos) for every pair of a head.
void rotate(const RopeSpec& rope, std::span<const float> cosine, std::span<const float> sine,
            float* head) {
  const std::size_t pairs = cosine.size();
  const bool interleaved = rope.layout == RopeLayout::interleaved;
  const std::size_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : pairs;
  for (std::size_t j = 0; j < pairs; ++j) {
    const float a = head[j * step], b = head[j * step + apart];
    head[j * step] = a * cosine[j] - b * sine[j];
    head[j * step + apart] = a * sine[j] + b * cosine[j];
  }
}

}  // namespace

FastEngine::FastEngine(const PackedModel& model, const FastOptions& options)
    : model_(model),
      spec_(model.about.spec),
      kernels_(options.kernels != nullptr ? *options.kernels : fast::best_kernels()),
      context_(options.context == 0 ? spec_.context : options.context),
      workers_(options.threads) {
  if (context_ < 1) fail(Fault::usage, "context {}: it must be at least 1", context_);
  embedding_ = matrix({Role::embedding});
  head_ = spec_.tied_head ? embedding_ : matrix({Role::head});
  final_norm_ = vector_of({Role::final_norm});
  for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
    measure(spec_.layers[i]);
    layers_.push_back(bind(static_cast<int>(i)));
  }
  for (const int layer : spec_.passes) caches_.emplace_back(spec_.layers[size_of(layer)].attention);
  head_out_.resize(size_of(spec_.vocabulary));
  logits_.resize(head_out_.size());
  scratch_.resize(workers_.count());
}

FastEngine::Matrix FastEngine::matrix(const TensorKey& key) const {
  const std::optional<Shape> shape = shape_of_role(key.role, spec_, key.layer);
  if (!shape) return nullptr;
  const auto found = model_.matrices.find(key);
  check(found != model_.matrices.end(), "the engine's model lacks a matrix that its spec asks for");
  check(found->second.shape == *shape, "a matrix's shape is not the one that the spec asks for");
  if (shape->cols > fast::kMostColumns) {
    fail(Fault::unsupported, "{}: {} columns; the fast engine takes {}: use --engine double",
         tensor_key_text(key), shape->cols, fast::kMostColumns);
  }
  return &found->second;
}

std::vector<float> FastEngine::vector_of(const TensorKey& key) const {
  const Matrix row = matrix(key);
  if (row == nullptr) return {};
  std::vector<float> values(size_of(row->shape.cols));
  dequantise_row(*row, 0, values);
  return values;
}

FastEngine::Layer FastEngine::bind(int layer) const {
  const auto of = [&](Role role) { return matrix({role, layer}); };
  const auto vector = [&](Role role) { return vector_of({role, layer}); };
  const LayerSpec& spec = spec_.layers[size_of(layer)];
  return {.attention_norm = vector(Role::attention_norm),
          .ffn_norm = vector(Role::ffn_norm),
          .q = of(Role::q),
          .k = of(Role::k),
          .v = of(Role::v),
          .o = of(Role::o),
          .router = of(Role::router),
          .shared_router = of(Role::shared_router),
          .q_bias = vector(Role::q_bias),
          .k_bias = vector(Role::k_bias),
          .v_bias = vector(Role::v_bias),
          .blocks = bind_blocks(layer),
          .turns = turns_of(spec.attention.rope)};
}

std::vector<FastEngine::Swiglu> FastEngine::bind_blocks(int layer) const {
  const FeedForwardSpec& spec = spec_.layers[size_of(layer)].feed_forward;
  std::vector<Swiglu> blocks;
  const auto add = [&](Role gate, Role up, Role down, int expert) {
    const auto of = [&](Role role) { return matrix({role, layer, expert}); };
    blocks.push_back({.gate = of(gate),
                      .up = of(up),
                      .down = of(down),
                      .hidden = size_of(of(gate)->shape.rows)});
  };
  if (!spec.is_mixture()) add(Role::gate, Role::up, Role::down, -1);
  for (int expert = 0; expert < spec.routed_experts; ++expert) {
    add(Role::expert_gate, Role::expert_up, Role::expert_down, expert);
  }
  if (spec.shared_experts > 0) add(Role::shared_gate, Role::shared_up, Role::shared_down, -1);
  return blocks;
}

void FastEngine::measure(const LayerSpec& spec) {
  const AttentionSpec& a = spec.attention;
  const FeedForwardSpec& f = spec.feed_forward;
  const std::size_t padded = padded_to(size_of(a.head_size), fast::kHeadPadding);
  q_width_ = std::max(q_width_, query_width(a));
  kv_width_ = std::max(kv_width_, size_of(a.kv_heads) * size_of(a.head_size));
  mixed_width_ = std::max(mixed_width_, size_of(a.query_heads / a.kv_heads) * padded);
  inner_width_ = std::max({inner_width_, size_of(f.hidden), size_of(f.shared_hidden)});
  const int slots = f.is_mixture() ? f.top_k + f.shared_experts : 1;
  slots_per_token_ = std::max(slots_per_token_, size_of(slots));
}

void FastEngine::make_room(std::size_t tokens) {
  if (tokens <= room_) return;
  room_ = tokens;
  const std::size_t slots = tokens * slots_per_token_, width = size_of(spec_.width);
  indices_.resize(slots);
  std::iota(indices_.begin(), indices_.end(), std::size_t{0});
  hidden_.resize(tokens * width);
  q_.resize(tokens * q_width_);
  k_.resize(tokens * kv_width_);
  v_.resize(tokens * kv_width_);
  added_.resize(slots * width);
  gate_.resize(slots * inner_width_);
  up_.resize(slots * inner_width_);
  normed_.emplace(width, tokens);
  attended_.emplace(q_width_, tokens);
  inner_.emplace(inner_width_, slots);
  normed_->serve(*head_);
  for (const Layer& layer : layers_) {
    for (const Matrix w : {layer.q, layer.k, layer.v}) normed_->serve(*w);
    attended_->serve(*layer.o);
    if (layer.router != nullptr) normed_->serve(*layer.router);
    if (layer.shared_router != nullptr) normed_->serve(*layer.shared_router);
    for (const Swiglu& block : layer.blocks) {
      normed_->serve(*block.gate);
      normed_->serve(*block.up);
      inner_->serve(*block.down);
    }
  }
}

void FastEngine::run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) {
  check_tokens(*this, tokens);
  const std::size_t silent = tokens.size() - std::min(wanted, tokens.size());
  for (std::size_t first = 0; first < tokens.size(); first += kBatch) {
    const auto batch = tokens.subspan(first, std::min(kBatch, tokens.size() - first));
    const std::size_t quiet = std::min(silent - std::min(silent, first), batch.size());
    make_room(batch.size());
    run_batch(batch, batch.size() - quiet);
    for (std::size_t i = quiet; i < batch.size(); ++i) {
      const std::span<const float> logits = head(i);
      std::copy(logits.begin(), logits.end(), logits_.begin());
      take(first + i, logits_);
    }
  }
}

std::span<const double> FastEngine::step(int token) {
  run({&token, 1}, 1, [](std::size_t, std::span<const double>) {});
  return logits_;
}

void FastEngine::run_batch(std::span<const int> tokens, std::size_t wanted) {
  const std::size_t width = size_of(spec_.width);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    dequantise_row(*embedding_, tokens[t], std::span(hidden_).subspan(t * width, width));
  }
  rotations_of_ = nullptr;
  const Tokens all = Tokens(indices_).first(tokens.size());
  for (std::size_t pass = 0; pass < spec_.passes.size(); ++pass) {
    run_pass(pass, all, pass + 1 < spec_.passes.size() ? all : all.last(wanted));
  }
  position_ += tokens.size();
}

void FastEngine::run_pass(std::size_t pass, Tokens all, Tokens wanted) {
  const std::size_t index = size_of(spec_.passes[pass]);
  const Layer& layer = layers_[index];
  norm(layer.attention_norm, all);
  attend(pass, all, wanted);
  if (wanted.empty()) return;
  norm(layer.ffn_norm, wanted);
  feed_forward(spec_.layers[index], layer, wanted);
}

void FastEngine::norm(const std::vector<float>& weights, Tokens tokens) {
  const auto eps = static_cast<float>(spec_.norm_eps);
  for (const std::size_t t : tokens) {
    kernels_.rms_norm(hidden_.data() + t * weights.size(), weights.data(), weights.size(), eps,
                      normed_->row(t));
    normed_->prepare(kernels_, t, weights.size());
  }
}

void FastEngine::attend(std::size_t pass, Tokens all, Tokens wanted) {
  const std::size_t index = size_of(spec_.passes[pass]);
  const Layer& layer = layers_[index];
  const std::size_t width = size_of(spec_.width);
  std::vector<Product> products = {{layer.k, &*normed_, all, k_.data(), kv_width_},
                                   {layer.v, &*normed_, all, v_.data(), kv_width_}};
  if (!wanted.empty()) {
    products.push_back({layer.q, &*normed_, wanted, &q_[wanted.front() * q_width_], q_width_});
  }
  multiply(products);
  store(pass, all);
  if (wanted.empty()) return;
  attend_heads(pass, wanted);
  const std::size_t q_width = query_width(spec_.layers[index].attention);
  for (const std::size_t t : wanted) attended_->prepare(kernels_, t, q_width);
  float* added = &added_[wanted.front() * width];
  multiply(std::array{Product{layer.o, &*attended_, wanted, added, width}});
  kernels_.add_scaled(1, added, wanted.size() * width, &hidden_[wanted.front() * width]);
}

/// Cosines and sines of the batch's positions, unless they are there already.
void FastEngine::turn_to(const std::vector<double>& turns, std::size_t count) {
  if (rotations_of_ != nullptr && *rotations_of_ == turns) return;
  rotations_of_ = &turns;
  rotations_.resize(std::max(rotations_.size(), count));
  for (std::size_t t = 0; t < count; ++t) {
    Rotation& rotation = rotations_[t];
    rotation.cosine.resize(turns.size());
    rotation.sine.resize(turns.size());
    for (std::size_t j = 0; j < turns.size(); ++j) {
      const double angle = turns[j] * static_cast<double>(position_ + t);
      rotation.cosine[j] = static_cast<float>(std::cos(angle));
      rotation.sine[j] = static_cast<float>(std::sin(angle));
    }
  }
}

/// Adds the biases of keys and values, turns the keys and caches both.
void FastEngine::store(std::size_t pass, Tokens all) {
  const std::size_t index = size_of(spec_.passes[pass]);
  const AttentionSpec& spec = spec_.layers[index].attention;
  turn_to(layers_[index].turns, all.size());
  for (const std::size_t t : all) {
    float* k = &k_[t * kv_width_];
    float* v = &v_[t * kv_width_];
    add_bias(layers_[index].k_bias, k);
    add_bias(layers_[index].v_bias, v);
    for (std::size_t h = 0; h < size_of(spec.kv_heads); ++h) {
      rotate(spec.rope, rotations_[t].cosine, rotations_[t].sine, k + h * size_of(spec.head_size));
    }
    caches_[pass].put(kernels_, position_ + t, k, v);
  }
}

void FastEngine::attend_heads(std::size_t pass, Tokens wanted) {
  const AttentionSpec& spec = spec_.layers[size_of(spec_.passes[pass])].attention;
  const std::size_t kv_heads = size_of(spec.kv_heads), size = size_of(spec.head_size);
  const std::size_t group = size_of(spec.query_heads) / kv_heads;
  const std::size_t padded = padded_to(size, fast::kHeadPadding);
  const std::size_t scores = group * padded_to(position_ + wanted.back() + 1, fast::kKvBlock);
  for (std::vector<float>& scratch : scratch_) {
    if (scratch.size() < mixed_width_ + scores) scratch.resize(mixed_width_ + scores);
  }
  const float factor = 1 / std::sqrt(static_cast<float>(spec.head_size));
  const std::vector<float>& bias = layers_[size_of(spec_.passes[pass])].q_bias;
  for (const std::size_t t : wanted) add_bias(bias, &q_[t * q_width_]);
  workers_.run([&](std::size_t worker) {
    float* mixed = scratch_[worker].data();
    for (std::size_t item = worker; item < wanted.size() * kv_heads; item += workers_.count()) {
      const std::size_t t = wanted[item / kv_heads], head = item % kv_heads;
      float* q = &q_[t * q_width_ + head * group * size];
      for (std::size_t h = 0; h < group; ++h) {
        rotate(spec.rope, rotations_[t].cosine, rotations_[t].sine, q + h * size);
      }
      for (std::size_t i = 0; i < group * size; ++i) q[i] *= factor;
      kernels_.attend({.q = q,
                       .heads = group,
                       .head_size = size,
                       .positions = position_ + t + 1,
                       .blocks = caches_[pass].blocks(),
                       .kv_head = head,
                       .kv_heads = kv_heads,
                       .scores = mixed + mixed_width_,
                       .out = mixed});
      float* out = attended_->row(t) + head * group * size;
      for (std::size_t h = 0; h < group; ++h) {
        std::copy_n(mixed + h * padded, size, out + h * size);
      }
    }
  });
}

/// Gives every token to the experts that its router chooses.
void FastEngine::route(const LayerSpec& spec, const Layer& layer, Tokens tokens,
                       std::vector<Share>& all) {
  const FeedForwardSpec& ffn = spec.feed_forward;
  const std::size_t experts = size_of(ffn.routed_experts);
  std::vector<float> scores(tokens.size() * experts);
  multiply(std::array{Product{layer.router, &*normed_, tokens, scores.data(), experts}});
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto row = std::span(scores).subspan(i * experts, experts);
    std::vector<double> score(row.begin(), row.end());
    const std::vector<int> chosen = ops::top_k(score, ffn.top_k);
    if (ffn.router_norm == RouterNorm::all) ops::softmax(score);
    std::vector<double> weight;
    weight.reserve(chosen.size());
    for (const int expert : chosen) weight.push_back(score[size_of(expert)]);
    if (ffn.router_norm == RouterNorm::chosen) ops::softmax(weight);
    for (std::size_t c = 0; c < chosen.size(); ++c) {
      Share& share = all[size_of(chosen[c])];
      share.tokens.push_back(tokens[i]);
      share.weights.push_back(static_cast<float>(weight[c]));
    }
  }
}

std::vector<float> FastEngine::shared_weights(const Layer& layer, Tokens tokens) {
  std::vector<float> weights(tokens.size(), 1);
  if (layer.shared_router == nullptr) return weights;
  multiply(std::array{Product{layer.shared_router, &*normed_, tokens, weights.data(), 1}});
  for (float& weight : weights) weight = static_cast<float>(ops::sigmoid(weight));
  return weights;
}

/// Which tokens each block serves; experts in index order, so that a token's sum has that order
/// too.
std::vector<FastEngine::Share> FastEngine::shares(const LayerSpec& spec, const Layer& layer,
                                                  Tokens tokens) {
  std::vector<Share> all;
  for (const Swiglu& block : layer.blocks) all.push_back({&block, {}, {}, 0});
  if (layer.router != nullptr) route(spec, layer, tokens, all);
  // What runs for every token: the shared expert, or the dense block.
  if (layer.router == nullptr || spec.feed_forward.shared_experts > 0) {
    all.back().tokens.assign(tokens.begin(), tokens.end());
    all.back().weights = shared_weights(layer, tokens);
  }
  std::erase_if(all, [](const Share& share) { return share.tokens.empty(); });
  std::size_t slot = 0;
  for (Share& share : all) {
    share.slot = slot;
    slot += share.tokens.size();
  }
  return all;
}

void FastEngine::feed_forward(const LayerSpec& spec, const Layer& layer, Tokens tokens) {
  const std::size_t width = size_of(spec_.width);
  const std::vector<Share> all = shares(spec, layer, tokens);
  std::vector<Product> products;
  for (const Share& share : all) {
    const std::size_t at = share.slot * inner_width_;
    products.push_back({share.block->gate, &*normed_, share.tokens, &gate_[at], inner_width_});
    products.push_back({share.block->up, &*normed_, share.tokens, &up_[at], inner_width_});
  }
  multiply(products);

  products.clear();
  for (const Share& share : all) {
    const Tokens slots = Tokens(indices_).subspan(share.slot, share.tokens.size());
    for (const std::size_t slot : slots) {
      const std::size_t at = slot * inner_width_;
      kernels_.swiglu(&gate_[at], &up_[at], share.block->hidden, inner_->row(slot));
      inner_->prepare(kernels_, slot, share.block->hidden);
    }
    products.push_back({share.block->down, &*inner_, slots, &added_[share.slot * width], width});
  }
  multiply(products);

  for (const Share& share : all) {
    for (std::size_t i = 0; i < share.tokens.size(); ++i) {
      kernels_.add_scaled(share.weights[i], &added_[(share.slot + i) * width], width,
                          &hidden_[share.tokens[i] * width]);
    }
  }
}

std::span<const float> FastEngine::head(std::size_t token) {
  const std::size_t width = size_of(spec_.width);
  kernels_.rms_norm(&hidden_[token * width], final_norm_.data(), width,
                    static_cast<float>(spec_.norm_eps), normed_->row(token));
  normed_->prepare(kernels_, token, width);
  multiply(
      std::array{Product{head_, &*normed_, std::span<const std::size_t>(indices_).subspan(token, 1),
                         head_out_.data(), head_out_.size()}});
  return head_out_;
}

void FastEngine::multiply(std::span<const Product> products) {
  workers_.run([&](std::size_t worker) {
    for (const Product& product : products) {
      const PackedMatrix& w = *product.w;
      // Whole groups of rows to a worker.
      constexpr std::size_t kGroup = 4;
      const std::size_t rows = size_of(w.shape.rows);
      const std::size_t share = padded_to((rows + workers_.count() - 1) / workers_.count(), kGroup);
      const std::size_t first = std::min(worker * share, rows);
      const std::size_t last = std::min(first + share, rows);
      if (first == last) continue;
      const std::size_t vectors = product.which.size();
      if (w.storage == PackedStorage::floats) {
        std::array<const float*, kBatch> x{};
        for (std::size_t i = 0; i < vectors; ++i) x[i] = product.from->row(product.which[i]);
        kernels_.multiply_floats({&w, first, last, x.data(), vectors, product.y, product.y_stride});
        continue;
      }
      std::array<fast::Planes, kBatch> x;
      std::array<fast::FixedScale, kBatch> scale;
      const fast::Planes* planes = product.from->planes(fast::column_order(w));
      for (std::size_t i = 0; i < vectors; ++i) {
        x[i] = planes[product.which[i]];
        scale[i] = product.from->scales()[product.which[i]];
      }
      kernels_.multiply(
          {&w, first, last, x.data(), scale.data(), vectors, product.y, product.y_stride});
    }
  });
}

}  // namespace sb3lm
