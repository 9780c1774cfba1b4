#include "lower/passes/stretches.h"

#include <algorithm>

namespace sb3lm {
namespace {

bool alike_tensors(const Layout& layout, const Part& a, const Part& b, const Step& one,
                   const Step& other) {
  const Begin from = begin_of(layout, a), to = begin_of(layout, b);
  return std::equal(
      one.tensors.begin(), one.tensors.end(), other.tensors.begin(), other.tensors.end(),
      [&](const TensorKey& key, const TensorKey& match) {
        const TensorPlace &m = layout.at(key), &n = layout.at(match);
        return key.role == match.role && same_kind(m, n) &&
               (!m.is_coded() || m.codes_at - from.codes_at == n.codes_at - to.codes_at) &&
               m.scales_at - from.scales_at == n.scales_at - to.scales_at;
      });
}

bool alike_states(const Layout& layout, StateId a, StateId b) {
  if (a == kNoState || b == kNoState) return a == b;
  const StatePlace &one = layout.state(a), &other = layout.state(b);
  return one.width == other.width && one.span == other.span && one.wraps == other.wraps;
}

bool alike(const Layout& layout, const Part& a, const Part& b) {
  return a.kind == b.kind && std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(),
                                        b.steps.end(), [&](const Step& one, const Step& other) {
                                          return one.op == other.op && one.in == other.in &&
                                                 one.out == other.out && one.size == other.size &&
                                                 one.between == other.between &&
                                                 one.with == other.with &&
                                                 alike_states(layout, one.state, other.state) &&
                                                 alike_tensors(layout, a, b, one, other);
                                        });
}

}  // namespace

Begin begin_of(const Layout& layout, const Part& part) {
  Begin begin;
  const auto lower = [](std::int64_t& least, std::int64_t at) {
    if (at > 0 && (least == 0 || at < least)) least = at;
  };
  for (const Step& step : part.steps) {
    for (const TensorKey& key : step.tensors) {
      lower(begin.codes_at, layout.at(key).codes_at);
      lower(begin.scales_at, layout.at(key).scales_at);
    }
  }
  return begin;
}

StateId state_of(const Part& part) {
  for (const Step& step : part.steps) {
    if (step.state != kNoState) return step.state;
  }
  return kNoState;
}

bool same_kind(const TensorPlace& a, const TensorPlace& b) {
  return a.storage == b.storage && a.shape == b.shape && a.format == b.format &&
         a.stride == b.stride;
}

std::vector<std::size_t> first_alike(const Layout& layout) {
  const std::vector<Part>& parts = layout.forward.parts;
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::size_t match = 0;
    while (match < i && !(first[match] == match && alike(layout, parts[match], parts[i]))) ++match;
    first.push_back(match);
  }
  return first;
}

}  // namespace sb3lm
