#include "import/hf/pipeline.h"

#include <algorithm>

#include "import/hf/stages.h"
#include "model/pattern.h"

namespace sb3lm {
namespace {

constexpr std::string_view kMark = "\u2581";
constexpr std::size_t kMaxSteps = 16;

class TextReader : StageReader {
 public:
  TextReader(const std::string& file, Tokenizer& out) : StageReader(file), out_(out) {}

  TextStages read(const Json& json) {
    for_each_step(json, "normalizer", "normalizers",
                  [this](const std::string& type, const Json& step) { normalizer(type, step); });
    if (mixes_spaces_) refuse("normalizer 'Prepend' of a space after 'Replace'");
    for_each_step(json, "pre_tokenizer", "pretokenizers",
                  [this](const std::string& type, const Json& step) { pre_tokenizer(type, step); });
    if (prepends_ && !stages_.marks) {
      refuse("normalizer 'Prepend' without a 'Replace' of spaces by {}", kMark);
    }
    if (stages_.byte_level && stages_.marks) refuse("a ByteLevel tokenizer that also marks spaces");
    settle_cuts();
    out_.mark_is_space = stages_.marks;
    return stages_;
  }

 private:
  void normalizer(const std::string& type, const Json& step) {
    if (type == "NFC" || type == "NFKC") {
      // Only NFC gives the same before and after spaces have become marks.
      if (type == "NFKC" && (stages_.marks || prepends_)) {
        refuse("normalizer 'NFKC' after another");
      }
      if (out_.form != NormalForm::nfkc) {
        out_.form = type == "NFC" ? NormalForm::nfc : NormalForm::nfkc;
      }
    } else if (type == "Prepend") {
      prepend(text(step, "prepend"));
    } else if (type == "Replace" && is_mark_for_space(step)) {
      stages_.marks = true;
    } else {
      refuse("normalizer '{}'", type);
    }
  }

  void prepend(const std::string& what) {
    if (what != kMark && what != " ") refuse("normalizer 'Prepend' of '{}'", what);
    if (prepends_) refuse("normalizer 'Prepend' for the second time");
    mixes_spaces_ = what == " " && stages_.marks;
    prepends_ = out_.prefix_space = true;
  }

  bool is_mark_for_space(const Json& step) const {
    const Json& pattern = field(step, "pattern");
    return pattern.is_object() && text(pattern, "String") == " " && text(step, "content") == kMark;
  }

  void pre_tokenizer(const std::string& type, const Json& step) {
    if (!last_.empty()) refuse("pre_tokenizer '{}' after '{}'", type, last_);
    if (type == "Metaspace") {
      metaspace(step);
      last_ = type;
    } else if (type == "ByteLevel") {
      byte_level(step);
      last_ = type;
    } else if (type == "Split") {
      split(step);
    } else if (type == "Digits") {
      const bool each = flag(step, "individual_digits", false);
      add_cut(parse_pattern(file_, each ? "\\p{N}" : "\\p{N}+"), type);
    } else if (type == "Punctuation") {
      CutStep cut = parse_pattern(file_, R"([!-/:-@\[-`{-~\p{P}])");
      set_behavior(step, type, cut);
      add_cut(std::move(cut), type);
    } else {
      refuse("pre_tokenizer '{}'", type);
    }
  }

  void metaspace(const Json& step) {
    if (text(step, "replacement") != kMark) {
      refuse("pre_tokenizer 'Metaspace' with replacement '{}'", text(step, "replacement"));
    }
    if (!out_.cuts.empty()) refuse("pre_tokenizer 'Metaspace' after another");
    stages_.marks = true;
    std::string scheme = text(step, "prepend_scheme");
    if (scheme.empty()) scheme = flag(step, "add_prefix_space", true) ? "always" : "never";
    if (scheme != "always" && scheme != "first" && scheme != "never") {
      refuse("pre_tokenizer 'Metaspace' with prepend_scheme '{}'", scheme);
    }
    if (scheme != "never" && !prepends_) {  // else a mark stands there already
      out_.prefix_space = out_.prefix_unless_space = true;
      out_.prefix_only_at_start = scheme == "first";
    }
    out_.split = flag(step, "split", true) ? WordSplit::before_space : WordSplit::none;
  }

  void byte_level(const Json& step) {
    stages_.byte_level = true;
    const bool prefix = flag(step, "add_prefix_space", true);
    if (prefix && !out_.cuts.empty()) {
      refuse("pre_tokenizer 'ByteLevel' with add_prefix_space after another");
    }
    out_.prefix_space = out_.prefix_unless_space = prefix;
    if (flag(step, "use_regex", true)) add_cut(parse_pattern(file_, kGpt2Pattern), "ByteLevel");
  }

  void split(const Json& step) {
    const Json& pattern = field(step, "pattern");
    if (!pattern.is_object()) fail("the pre_tokenizer 'Split' has no 'pattern'");
    if (const std::string regex = text(pattern, "Regex"); !regex.empty()) {
      CutStep cut = parse_pattern(file_, regex);
      set_behavior(step, "Split", cut);
      add_cut(std::move(cut), "Split");
      return;
    }
    const std::string letters = text(pattern, "String");
    if (letters.empty()) refuse("pre_tokenizer 'Split' without a pattern");
    if (letters == " " && stages_.marks) return;  // there are no spaces any more
    CutStep cut = parse_pattern(file_, as_pattern(letters));
    set_behavior(step, "Split", cut);
    add_cut(std::move(cut), "Split");
  }

  /// What becomes of matches and of the rest.
  void set_behavior(const Json& step, const std::string& type, CutStep& cut) const {
    std::string behavior = text(step, "behavior");
    if (behavior.empty()) behavior = "Isolated";
    const bool invert = flag(step, "invert", false);
    if (behavior == "Removed") {
      (invert ? cut.drops_others : cut.drops_matches) = true;
    } else if (behavior == "Contiguous") {
      const auto& runs = cut.alternatives[0].runs;
      const bool is_one = cut.alternatives.size() == 1 && runs.size() == 1 && runs[0].least == 1 &&
                          (runs[0].most == 1 || runs[0].most == LetterRun::kNoLimit) &&
                          cut.alternatives[0].not_before < 0;
      if (!is_one) refuse("pre_tokenizer '{}' with behavior 'Contiguous' of such a pattern", type);
      if (runs[0].most == 1) cut = parse_pattern(file_, cut.pattern + "+");
    } else if (behavior != "Isolated") {
      refuse("pre_tokenizer '{}' with behavior '{}'", type, behavior);
    }
  }

  void add_cut(CutStep cut, std::string_view type) {
    if (out_.cuts.size() == kMaxSteps) refuse("more than {} pre_tokenizers", kMaxSteps);
    // We keep a space where the original has its mark.
    const bool minds = std::any_of(cut.sets.begin(), cut.sets.end(), [](const LetterSet& set) {
      return set.has(U' ') != set.has(kSpaceMark);
    });
    if (stages_.marks && minds) refuse("pre_tokenizer '{}' of marked spaces", type);
    out_.cuts.push_back(std::move(cut));
  }

  void settle_cuts() {
    if (out_.cuts.empty()) return;
    out_.split = WordSplit::steps;
    if (out_.cuts.size() > 1 || out_.cuts[0] != parse_pattern(file_, kGpt2Pattern)) return;
    out_.split = WordSplit::gpt2;
    out_.cuts.clear();
  }

  Tokenizer& out_;
  TextStages stages_;
  bool prepends_ = false;
  bool mixes_spaces_ = false;  // a space is put in front of marks
  std::string last_;           // a step after which none may come
};

class DecoderReader : StageReader {
 public:
  DecoderReader(const std::string& file, const TextStages& stages, Tokenizer& out)
      : StageReader(file), stages_(stages), out_(out) {}

  void read(const Json& json) {
    if (field(json, "decoder").is_null()) refuse("a tokenizer without a decoder");
    for_each_step(json, "decoder", "decoders",
                  [this](const std::string& type, const Json& step) { decoder(type, step); });
    if (stages_.byte_level && !byte_level_) refuse("a ByteLevel tokenizer without such a decoder");
    if (stages_.marks && !unmarks_) refuse("a decoder that leaves {} in the text", kMark);
    const auto is_byte = [](const Token& token) { return token.type == TokenType::byte; };
    if (!bytes_ && std::any_of(out_.tokens.begin(), out_.tokens.end(), is_byte)) {
      refuse("byte_fallback without the decoder 'ByteFallback'");
    }
  }

 private:
  void decoder(const std::string& type, const Json& step) {
    if (type == "Metaspace") {
      std::string scheme = text(step, "prepend_scheme");
      if (scheme.empty()) scheme = flag(step, "add_prefix_space", true) ? "always" : "never";
      if (scheme != "never") out_.strip_leading_space = true;
      unmarks_ = true;
    } else if (type == "Strip") {
      strip(step);
    } else if (type == "Replace") {
      replace(step);
    } else if (type == "ByteFallback") {
      if (fused_) refuse("decoder 'ByteFallback' after 'Fuse'");
      bytes_ = true;
    } else if (type == "Fuse") {
      fused_ = true;
    } else if (type == "ByteLevel") {
      byte_level_ = true;
    } else {
      refuse("decoder '{}'", type);
    }
  }

  void strip(const Json& step) {
    const bool leading = text(step, "content") == " " && field(step, "stop") == 0 &&
                         (field(step, "start") == 0 || field(step, "start") == 1);
    if (!leading) refuse("decoder 'Strip' of anything but one leading space");
    if (field(step, "start") == 0) return;
    if (stages_.marks && !unmarks_) refuse("decoder 'Strip' before 'Replace'");
    if (out_.strip_leading_space || out_.strip_every_token) {
      refuse("a decoder that strips two spaces");
    }
    if (!fused_ && bytes_) refuse("decoder 'Strip' between 'ByteFallback' and 'Fuse'");
    (fused_ ? out_.strip_leading_space : out_.strip_every_token) = true;
  }

  void replace(const Json& step) {
    const Json& pattern = field(step, "pattern");
    if (!pattern.is_object() || text(pattern, "String") != kMark || text(step, "content") != " ") {
      refuse("decoder 'Replace' of anything but {} by a space", kMark);
    }
    unmarks_ = true;
  }

  const TextStages& stages_;
  Tokenizer& out_;
  bool byte_level_ = false, unmarks_ = false, bytes_ = false, fused_ = false;
};

class PostReader : StageReader {
 public:
  PostReader(const std::string& file, Tokenizer& out) : StageReader(file), out_(out) {}

  void read(const Json& json) {
    for_each_step(json, "post_processor", "processors",
                  [this](const std::string& type, const Json& step) {
                    if (type == "ByteLevel") return;  // about places in the text only
                    if (type != "TemplateProcessing") refuse("post_processor '{}'", type);
                    template_processing(step);
                  });
  }

 private:
  void template_processing(const Json& step) {
    const Json& single = field(step, "single");
    if (!single.is_array()) fail("TemplateProcessing has no list 'single'");
    bool after_text = false;
    for (const Json& part : single) {
      if (!part.is_object()) fail("TemplateProcessing 'single' holds something other than parts");
      if (!field(part, "Sequence").is_null()) {
        after_text = true;
        continue;
      }
      const Json& token = field(part, "SpecialToken");
      if (!token.is_object()) fail("TemplateProcessing 'single' has a part of unknown kind");
      const std::string name = text(token, "id");
      const int id = special_id(out_, name);
      if (id < 0) fail("TemplateProcessing: '{}' is not a special token", name);
      if (after_text) continue;
      if (out_.add_bos) refuse("a TemplateProcessing that adds two tokens before the text");
      out_.bos = id;
      out_.add_bos = true;
    }
  }

  Tokenizer& out_;
};

}  // namespace

TextStages read_text_stages(const std::string& file, const Json& json, Tokenizer& out) {
  return TextReader(file, out).read(json);
}

void read_decoder(const std::string& file, const Json& json, const TextStages& text,
                  Tokenizer& out) {
  DecoderReader(file, text, out).read(json);
}

void read_post_processor(const std::string& file, const Json& json, Tokenizer& out) {
  PostReader(file, out).read(json);
}

}  // namespace sb3lm
