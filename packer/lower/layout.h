// Where every tensor, cache and activation lies in the lists of the .sb3. All positions count from
// 1, as Scratch does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "lower/passes/regions.h"
#include "model/model.h"
#include "model/steps.h"
#include "quant/encoding.h"
#include "quant/text_runs.h"

namespace sb3lm {

/// How a tensor is stored.
enum class Storage {
  codes,    // bit planes in `_codes`, row scales in `_scales`; both decoded from text
  numbers,  // the same text, but `_codes` holds one number per weight, row after row
  halves,   // binary16 numbers in `_scales`, decoded from text
  floats,   // numbers in `_scales`, preloaded
};

/// What is said of codes holds for Storage::numbers too.
struct TensorPlace {
  TensorKey key;
  Storage storage = Storage::codes;
  Shape shape;
  CodeFormat format;              // codes
  FloatType type{};               // halves, floats: the type in the checkpoint
  std::string encoding;           // codes: name of the CodeEncoding
  std::int64_t text_item = 0;     // codes, halves: first item of the text list ...
  std::int64_t text_letter = 0;   // ... and first letter
  std::int64_t codes_at = 0;      // codes: first item of `_codes`
  std::int64_t scales_at = 0;     // codes: row scales; else the numbers
  std::int64_t scale_item = 0;    // codes: first item of the row scales' text ...
  std::int64_t scale_letter = 0;  // ... and letter of the first scale
  int base = 0;                   // codes, halves: of the role's halves (see pack_halves)
  int stride = 0;                 // halves, floats: list items per row

  bool is_coded() const { return storage == Storage::codes || storage == Storage::numbers; }
  int groups() const { return group_count(shape.cols); }
  /// Row scales of 1-bit codes are stored doubled (see row_start).
  double scale_factor() const { return format.bits == 1 ? 2 : 1; }
};

/// Keys and values of a pass: `span` positions, from item `at` of both lists on. A window's wrap
/// around where it is shorter than the context.
struct StatePlace {
  std::int64_t at = 0;
  int width = 0;
  int span = 0;  // whole value blocks
  bool wraps = false;
};

/// No list of codes is longer: V8 has room for 2^27 items in one, and makes lists that grow half as
/// long again at once.
inline constexpr std::int64_t kMostCodes = 1 << 26;

struct Layout {
  Kernel kernel = Kernel::tables;
  std::vector<TensorPlace> tensors;        // in expected_tensors order
  std::map<TensorKey, std::size_t> index;  // into `tensors`
  std::vector<std::string> text;           // items of the text list; the last ones hold halves
  std::int64_t codes = 0;                  // list sizes
  std::int64_t codes_apart = 0;            // not 0: codes lie in several lists; place p is item
                                           // (p - 1) mod this + 1 of list (p - 1) / this
  std::vector<scratch::Scalar> floats;     // first items of `_scales`
  std::int64_t scales = 0;                 // decoded items after them
  int context = 0;                         // positions that the KV cache holds
  ForwardSteps forward;
  std::vector<StatePlace> states;  // of `forward`
  std::int64_t cache = 0;          // items that they take
  Regions act;
  int columns = 0;  // Kernel::columns: lists that share the codes; `codes` is the length of each
  std::vector<TextRun> runs;  // of the tensors that are no floats, in expected_tensors order

  bool in_lists() const { return codes_apart > 0; }
  /// The lists of codes, by name: `_codes` alone, or with `_more codes 2`, ...
  std::vector<blocks::List<blocks::Num>> code_lists() const;

  const TensorPlace& at(const TensorKey& key) const { return tensors[index.at(key)]; }
  const StatePlace& state(StateId id) const { return states[static_cast<std::size_t>(id)]; }
  /// Up to this position a token can be taken back: behind it, a cache may have overwritten what
  /// earlier positions would see.
  int last_return() const;
  /// First position of the logits.
  int logits_at() const { return act.of(forward.logits); }
};

/// How the dot kernel walks over a float matrix of this role.
inline DotShape dot_shape(Role role, int cols) {
  return DotShape::of(cols, is_router(role) ? DotShape::kRareChunk : DotShape::kMaxChunk);
}

/// The steps, the caches of so many positions, and the activations.
void place_context(const ModelSpec& spec, int context, Layout& layout);

/// Places everything and packs the weights' text. No matrix lies in two lists of codes. Throws
/// unsupported if one is too large for a list.
Layout make_layout(const Model& model, int context, const EncodingPlan& encodings,
                   std::int64_t most_codes = kMostCodes);

/// Turns a layout of codes into one for Kernel::naive: Storage::numbers instead of codes. Throws
/// unsupported if a list cannot hold them.
void place_numbers(Layout& layout);

}  // namespace sb3lm
