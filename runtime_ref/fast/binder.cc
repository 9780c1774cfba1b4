#include "runtime_ref/fast/binder.h"

#include <algorithm>

#include "base/error.h"

namespace sb3lm::fast {
namespace {

bool touches(const Step& step, SlotId slot) {
  const auto has = [&](const std::vector<SlotId>& some) {
    return std::find(some.begin(), some.end(), slot) != some.end();
  };
  return step.out == slot || has(step.in) || has(step.between);
}

bool may_run_along(const Part& part, std::size_t first, std::size_t later) {
  const auto at = [&](std::size_t i) {
    return part.steps.begin() + static_cast<std::ptrdiff_t>(i);
  };
  if (at(first)->op != StepOp::matrix || at(later)->op != StepOp::matrix) return false;
  return std::none_of(at(first), at(later),
                      [&](const Step& step) { return touches(step, at(later)->out); });
}

BindOp* row_of(std::span<const OpRow> table, StepOp op) {
  for (const OpRow& row : table) {
    if (row.op == op) return row.bind;
  }
  fail(Fault::unsupported, "'{}', {}; the fast engine has no form of it: use --engine double",
       op_name(op), op_formula(op));
}

}  // namespace

std::vector<Place> places_of(const Part& part, const std::vector<bool>& needed) {
  const std::vector<int> first_of = first_readers(part);
  std::vector<Place> places(part.steps.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t first = first_of[i] < 0 ? i : size_of(first_of[i]);
    Place place{.step = &part.steps[i], .for_all = needed[i]};
    if (first != i && may_run_along(part, first, i)) {
      places[first].along.push_back(place);
      continue;
    }
    const bool prepared = first != i && (places[first].runs_for_all() || !place.for_all);
    place.prepares = first_of[i] >= 0 && !prepared;
    places[i] = place;
  }
  std::erase_if(places, [](const Place& place) { return place.step == nullptr; });
  return places;
}

BoundSteps Binder::bind(std::span<const OpRow> table) {
  BoundSteps bound;
  const std::vector<std::vector<bool>> needed = needed_later(forward_);
  for (std::size_t p = 0; p < forward_.parts.size(); ++p) {
    const Part& part = forward_.parts[p];
    std::vector<Bound>& steps = part.kind == PartKind::end ? bound.end : bound.body;
    for (const Place& place : places_of(part, needed[p])) {
      steps.push_back({row_of(table, place.step->op)(place, *this), place.runs_for_all()});
    }
  }
  return bound;
}

const PackedMatrix& Binder::matrix(const TensorKey& key) const {
  const std::optional<Shape> shape = shape_of_role(key.role, model_.about.spec, key.layer);
  const auto found = model_.matrices.find(key);
  check(shape && found != model_.matrices.end(),
        "the engine's model lacks a matrix that its spec asks for");
  check(found->second.shape == *shape, "a matrix's shape is not the one that the spec asks for");
  if (shape->cols > kMostColumns) {
    fail(Fault::unsupported, "{}: {} columns; the fast engine takes {}: use --engine double",
         tensor_key_text(key), shape->cols, kMostColumns);
  }
  return found->second;
}

const PackedMatrix& Binder::reader(const TensorKey& key, SlotId slot) {
  const PackedMatrix& found = matrix(key);
  shared.vectors.serve(slot, found);
  return found;
}

const std::vector<float>& Binder::vector(const TensorKey& key) {
  const PackedMatrix& row = matrix(key);
  std::vector<float>& values = shared.weights[key];
  values.resize(size_of(row.shape.cols));
  dequantise_row(row, 0, values);
  return values;
}

/// How keys and values divide into heads is known where they are read.
FixedCache& Binder::cache(StateId state) {
  if (const auto found = shared.caches.find(state); found != shared.caches.end()) {
    return found->second;
  }
  for (const Part& part : forward_.parts) {
    for (const Step& step : part.steps) {
      if (step.op != StepOp::attend || step.state != state) continue;
      const auto& with = std::get<AttendWith>(step.with);
      return shared.caches.try_emplace(state, with.kv_heads, with.head_size).first->second;
    }
  }
  fail(Fault::bug, "no step reads the keys and values that another one stores");
}

Rotations& Binder::rotations(const RopeSpec& rope) {
  for (const auto& known : shared.rotations) {
    if (known->rope() == rope) return *known;
  }
  return *shared.rotations.emplace_back(std::make_unique<Rotations>(rope));
}

}  // namespace sb3lm::fast
