#include "quant/moments.h"

#include "base/vectors.h"

namespace sb3lm {
namespace {

constexpr std::size_t kTogether = 16;  // inputs

Role first_reader(Role role) {
  switch (role) {
    case Role::k:
    case Role::v:
      return Role::q;
    case Role::gate:
      return Role::up;
    case Role::shared_gate:
      return Role::shared_up;
    case Role::expert_gate:
      return Role::expert_up;
    default:
      return role;
  }
}

}  // namespace

void InputMoments::add(std::span<const double> input) {
  waiting_.insert(waiting_.end(), input.begin(), input.end());
  if (!shifts_.empty()) waiting_off_.resize(waiting_.size(), 0.0);
  ++inputs_;
  if (waiting_.size() >= kTogether * size_) flush();
}

void InputMoments::add(std::span<const double> input, std::span<const double> wanted) {
  shifts_.resize(size_ * size_, 0.0);
  waiting_off_.resize(waiting_.size(), 0.0);
  for (std::size_t i = 0; i < size_; ++i) waiting_off_.push_back(wanted[i] - input[i]);
  add(input);
}

void InputMoments::flush() const {
  const std::size_t inputs = waiting_.size() / size_;
  for (std::size_t row = 0; row < size_; ++row) {
    double* const sums = sums_.data() + row * size_;
    for (std::size_t i = 0; i < inputs; ++i) {
      add_scaled(sums + row, waiting_[i * size_ + row], waiting_.data() + i * size_ + row,
                 size_ - row);
    }
    if (shifts_.empty()) continue;
    double* const shifts = shifts_.data() + row * size_;
    for (std::size_t i = 0; i < inputs; ++i) {
      add_scaled(shifts, waiting_[i * size_ + row], waiting_off_.data() + i * size_, size_);
    }
  }
  waiting_.clear();
  waiting_off_.clear();
}

void InputMoments::add(const InputMoments& other) {
  flush();
  other.flush();
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
  if (!other.shifts_.empty()) shifts_.resize(size_ * size_, 0.0);
  for (std::size_t i = 0; i < other.shifts_.size(); ++i) shifts_[i] += other.shifts_[i];
  inputs_ += other.inputs_;
}

void InputMoments::add_mean_diagonal() {
  flush();
  double mean = 0;
  for (std::size_t i = 0; i < size_; ++i) mean += sums_[i * size_ + i];
  mean /= static_cast<double>(size_);
  for (std::size_t i = 0; i < size_; ++i) sums_[i * size_ + i] += mean;
}

const std::vector<double>& InputMoments::shifts() const {
  flush();
  return shifts_;
}

std::vector<double> InputMoments::sums() const {
  flush();
  std::vector<double> all = sums_;
  for (std::size_t row = 0; row < size_; ++row) {
    for (std::size_t col = 0; col < row; ++col) all[row * size_ + col] = all[col * size_ + row];
  }
  return all;
}

void add_to(Calibration& sums, const Calibration& others) {
  for (const auto& [key, moments] : others) {
    sums.try_emplace(key, moments.size()).first->second.add(moments);
  }
}

TensorKey calibration_key(TensorKey key) {
  key.role = first_reader(key.role);
  return key;
}

}  // namespace sb3lm
