#include "import/convention_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "import/settings.h"

namespace sb3lm {
namespace {

struct Threshold {
  double sigmas, nats;
};
constexpr Threshold kLikely{2, 0.5};
constexpr Threshold kSure{4, 3};
// A flip that helps lowers the perplexity, so the search ends; this only bounds a bug.
constexpr int kMostRounds = 32;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Mean of b - a over its standard error; infinite if every token differs by the same amount.
double sigmas_between(const std::vector<double>& a, const std::vector<double>& b) {
  check(a.size() == b.size() && !a.empty(), "two scores of one text differ in length");
  const double shift = mean(b) - mean(a);
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = b[i] - a[i] - shift;
    squares += off * off;
  }
  const auto count = static_cast<double>(a.size());
  const double error = std::sqrt(squares / count / std::max(1.0, count - 1));
  if (shift == 0) return 0;
  return error > 0 ? shift / error : std::copysign(std::numeric_limits<double>::infinity(), shift);
}

bool beyond(const Threshold& threshold, double sigmas, double nats) {
  return nats > 0 && (sigmas >= threshold.sigmas || nats >= threshold.nats);
}

/// Conventions that say how stored bytes become weights. A wrong one spoils everything, so two may
/// hide each other.
bool is_packing(const std::string& name) {
  return name == "bit-order" || name == "sign" || name == "nibble-order" || name == "nibble-code" ||
         name == "embedding-code";
}

/// Whether mending both may help where mending one does not.
bool may_hide(const std::string& one, const std::string& two, bool lost) {
  if (one == "bit-order" && two == "sign") return true;  // both about the same bytes
  if (one == "nibble-order" && (two == "nibble-code" || two == "embedding-code")) return true;
  if (one == "rope" && two == "rope-sign") return true;
  return lost && is_packing(one) && is_packing(two);
}

class Search {
 public:
  Search(const SearchRequest& request, const ScoreReading& score, Progress& progress)
      : request_(request), score_(score), progress_(progress), chosen_(request.start) {
    const TokenNats& nats = scored(chosen_);
    if (!nats) fail(Fault::bad_input, "the checkpoint cannot be read with the conventions given");
    best_ = *nats;
  }

  ConventionSearch run() {
    for (round_ = 1; round_ <= kMostRounds; ++round_) {
      if (!take_best(singles(), "") && !take_best(pairs(), ", in pairs")) break;
    }
    ConventionSearch result{.chosen = chosen_, .nats = mean(best_), .findings = {}};
    for (const std::string& name : request_.names) result.findings.push_back(finding(name));
    return result;
  }

 private:
  const TokenNats& scored(const ConventionMap& reading) {
    const auto found = known_.find(reading);
    if (found != known_.end()) return found->second;
    return known_.emplace(reading, score_(reading)).first->second;
  }

  /// Takes the best of the readings if it is better than the chosen one beyond doubt. The best and
  /// not the first: a gain that only makes up for another mistake leads nowhere.
  bool take_best(const std::vector<ConventionMap>& readings, const char* how) {
    const ConventionMap* best = nullptr;
    double best_mean = mean(best_);
    for (std::size_t i = 0; i < readings.size(); ++i) {
      progress_.report(fmt::format("trying conventions, round {}{}", round_, how),
                       static_cast<double>(i) / static_cast<double>(readings.size()));
      const TokenNats& nats = scored(readings[i]);
      if (!nats || mean(*nats) >= best_mean) continue;
      if (!beyond(kLikely, sigmas_between(*nats, best_), mean(best_) - mean(*nats))) continue;
      best = &readings[i];
      best_mean = mean(*nats);
    }
    if (best == nullptr) return false;
    chosen_ = *best;
    best_ = *scored(chosen_);
    return true;
  }

  std::vector<ConventionMap> singles() const {
    std::vector<ConventionMap> readings;
    for (const std::string& name : request_.names) {
      for (ConventionMap& reading : flips(chosen_, name)) readings.push_back(std::move(reading));
    }
    return readings;
  }

  std::vector<ConventionMap> pairs() const {
    const std::vector<std::string>& names = request_.names;
    const bool lost = mean(best_) >= request_.lost_nats;
    std::vector<ConventionMap> readings;
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t j = i + 1; j < names.size(); ++j) {
        if (!may_hide(names[i], names[j], lost)) continue;
        for (const ConventionMap& one : flips(chosen_, names[i])) {
          for (ConventionMap& both : flips(one, names[j])) readings.push_back(std::move(both));
        }
      }
    }
    return readings;
  }

  /// The reading with every other value of one convention.
  std::vector<ConventionMap> flips(const ConventionMap& reading, const std::string& name) const {
    const auto own = request_.choices.find(name);
    std::vector<ConventionMap> all;
    for (const std::string& value :
         own != request_.choices.end() ? own->second : setting_choices(name)) {
      if (value == reading.at(name)) continue;
      all.push_back(reading);
      all.back()[name] = value;
    }
    return all;
  }

  ConventionFinding finding(const std::string& name) {
    ConventionFinding found{.name = name,
                            .chosen = chosen_.at(name),
                            .start = request_.start.at(name),
                            .others = {},
                            .confidence = Confidence::sure};
    bool any_effect = false;
    for (const ConventionMap& reading : flips(chosen_, name)) {
      OtherValue other{.value = reading.at(name)};
      const TokenNats& nats = scored(reading);
      other.readable = nats.has_value();
      if (nats) {
        other.same = *nats == best_;
        other.nats = mean(*nats);
        other.worse_sigmas = sigmas_between(best_, *nats);
      }
      any_effect = any_effect || !other.same;
      found.confidence = std::min(found.confidence, confidence_of(other));
      found.others.push_back(other);
    }
    if (!any_effect) found.confidence = Confidence::no_effect;
    return found;
  }

  Confidence confidence_of(const OtherValue& other) const {
    if (!other.readable) return Confidence::sure;
    const double nats = other.nats - mean(best_);
    if (beyond(kSure, other.worse_sigmas, nats)) return Confidence::sure;
    return beyond(kLikely, other.worse_sigmas, nats) ? Confidence::likely : Confidence::open;
  }

  const SearchRequest& request_;
  const ScoreReading& score_;
  Progress& progress_;
  ConventionMap chosen_;
  std::vector<double> best_;
  std::map<ConventionMap, TokenNats> known_;
  int round_ = 0;
};

}  // namespace

std::string_view confidence_text(Confidence confidence) {
  switch (confidence) {
    case Confidence::no_effect:
      return "no effect";
    case Confidence::open:
      return "open";
    case Confidence::likely:
      return "likely";
    case Confidence::sure:
      return "sure";
  }
  return "";
}

ConventionSearch search_conventions(const SearchRequest& request, const ScoreReading& score,
                                    Progress& progress) {
  return Search(request, score, progress).run();
}

}  // namespace sb3lm
