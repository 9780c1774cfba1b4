#include "sb3/deflate.h"

#include <libdeflate.h>

#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "base/error.h"
#include "sb3/deflate_cost.h"
#include "sb3/literal_block.h"

namespace sb3lm {
namespace {

// Shorter ones are not worth a block's header.
constexpr std::size_t kLongText = 20000;
// What lies between two long texts: libdeflate would store it as it is.
constexpr std::size_t kFewBytes = 64;

using Compressor = std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>;

std::string compressed(libdeflate_compressor* compressor, std::string_view bytes) {
  std::string out(libdeflate_deflate_compress_bound(compressor, bytes.size()), '\0');
  out.resize(
      libdeflate_deflate_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

// Cuts before and after every long text between two quotes.
struct Stretch {
  std::string_view bytes;
  bool is_text = false;
};

std::vector<Stretch> stretches_of(std::string_view bytes) {
  std::vector<Stretch> all;
  std::size_t done = 0;
  for (std::size_t quote = bytes.find('"'); quote != std::string_view::npos;) {
    const std::size_t next = bytes.find('"', quote + 1);
    if (next == std::string_view::npos) break;
    if (next - quote - 1 >= kLongText) {
      all.push_back({bytes.substr(done, quote + 1 - done)});
      all.push_back({bytes.substr(quote + 1, next - quote - 1), true});
      done = next;
    }
    quote = next;
  }
  all.push_back({bytes.substr(done)});
  return all;
}

class Deflater {
 public:
  explicit Deflater(libdeflate_compressor* compressor) : compressor_(compressor) {}

  /// Nothing if a stretch does not compress at all: stored blocks begin at whole bytes only.
  std::optional<std::string> run(std::string_view bytes) {
    for (const Stretch& stretch : stretches_of(bytes)) {
      if (stretch.bytes.size() < kFewBytes) {
        last_block_ = out_.size();
        put_fixed_block(out_, stretch.bytes);
      } else if (!add(stretch)) {
        return std::nullopt;
      }
    }
    out_.set(last_block_, true);
    return out_.take();
  }

 private:
  // The smaller of libdeflate's blocks and, for a text, one of literals; false for stored blocks.
  bool add(const Stretch& stretch) {
    const std::string made = compressed(compressor_, stretch.bytes);
    const DeflateShape shape = deflate_shape("deflate", as_bytes(made), stretch.bytes.size());
    if (stretch.is_text) {
      BitString literals;
      put_literal_block(literals, stretch.bytes);
      const std::uint64_t size = literals.size();
      if (size < shape.bits || shape.has_stored) {
        last_block_ = out_.size();
        out_.put(literals.take(), size);
        return true;
      }
    }
    if (shape.has_stored) return false;
    last_block_ = out_.size() + shape.last_block;
    out_.put(made, shape.bits);
    out_.set(last_block_, false);
    return true;
  }

  libdeflate_compressor* compressor_;
  BitString out_;
  std::uint64_t last_block_ = 0;  // its first bit, which says that it is the last
};

}  // namespace

std::string deflate(std::string_view bytes, int level) {
  const Compressor compressor(libdeflate_alloc_compressor(level), libdeflate_free_compressor);
  if (compressor == nullptr) throw std::bad_alloc();
  std::optional<std::string> made = Deflater(compressor.get()).run(bytes);
  if (!made) made = compressed(compressor.get(), bytes);
  return made->size() < bytes.size() ? std::move(*made) : std::string();
}

}  // namespace sb3lm
