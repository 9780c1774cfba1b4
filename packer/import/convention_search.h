// Which reading of a checkpoint is right? The one under which the model predicts a text best. The
// search goes convention by convention instead of trying every combination; who scores a reading,
// and on what text, is the caller's business.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"

namespace sb3lm {

using ConventionMap = std::map<std::string, std::string>;

/// Nats of every token of a fixed text; nothing if the checkpoint cannot be read so.
using TokenNats = std::optional<std::vector<double>>;
using ScoreReading = std::function<TokenNats(const ConventionMap&)>;

/// A value is better beyond doubt if its mean is lower by 2 standard errors or half a nat per token
/// (a few huge tokens may spoil the statistics, but not hide that much).
enum class Confidence {
  no_effect,  // every value gives the same numbers
  open,       // another value does about as well
  likely,     // the chosen value is better beyond doubt than every other
  sure,       // by 4 standard errors or 3 nats, or the file cannot be read with the other
};
std::string_view confidence_text(Confidence confidence);

/// A convention's other value, everything else as chosen.
struct OtherValue {
  std::string value;
  bool readable = true;
  bool same = false;        // exactly the same numbers
  double nats = 0;          // mean per token
  double worse_sigmas = 0;  // mean of the tokens' differences over its standard error
};

struct ConventionFinding {
  std::string name, chosen, start;
  std::vector<OtherValue> others;
  Confidence confidence = Confidence::open;
};

struct ConventionSearch {
  ConventionMap chosen;  // the start map with the chosen values
  double nats = 0;       // mean per token of the chosen reading
  std::vector<ConventionFinding> findings;
};

struct SearchRequest {
  ConventionMap start;             // a value for each of `names`; what else it has stays
  std::vector<std::string> names;  // to search, in this order
  std::map<std::string, std::vector<std::string>> choices = {};  // if not setting_choices(name)
  double lost_nats = 0;  // mean per token from which pairs are tried as well: a reading that bad
                         // has more than one mistake, and mending one may not show
};

/// Takes the best other value of one convention after the other wherever it is better by two
/// standard errors, until no flip helps. Throws bad_input if the start cannot be read.
ConventionSearch search_conventions(const SearchRequest& request, const ScoreReading& score,
                                    Progress& progress);

}  // namespace sb3lm
