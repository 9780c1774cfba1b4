// Streams read back to the same bytes in zlib, whatever they are made of, and long texts of mixed
// letters come near their entropy.
#include <doctest/doctest.h>
#include <libdeflate.h>
#include <zlib.h>

#include <cmath>
#include <map>
#include <random>

#include "sb3/deflate.h"
#include "sb3/literal_block.h"

namespace {

using namespace sb3lm;

// A raw stream, by zlib; "broken" if it does not end where it should.
std::string inflated(const std::string& stream, std::size_t size) {
  std::string out(size + 1, '\0');
  z_stream zip{};
  REQUIRE(inflateInit2(&zip, -15) == Z_OK);
  std::string in = stream;
  zip.next_in = reinterpret_cast<Bytef*>(in.data());
  zip.avail_in = static_cast<uInt>(in.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&zip, Z_FINISH);
  out.resize(zip.total_out);
  const bool whole = status == Z_STREAM_END && zip.avail_in == 0;
  inflateEnd(&zip);
  return whole ? out : "broken";
}

// A stream of one literal block; the block must not be marked as the last one by itself.
std::string literals_alone(std::string_view text) {
  BitString bits;
  put_literal_block(bits, text);
  bits.set(0, true);
  return bits.take();
}

std::string fixed_codes_alone(std::string_view text) {
  BitString bits;
  put_fixed_block(bits, text);
  bits.set(0, true);
  return bits.take();
}

std::string random_letters(std::string_view alphabet, std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += alphabet[random() % alphabet.size()];
  return text;
}

double entropy_bytes(const std::string& text) {
  std::map<char, double> counts;
  for (const char letter : text) ++counts[letter];
  double bits = 0;
  for (const auto& [letter, count] : counts) {
    bits += count * std::log2(static_cast<double>(text.size()) / count);
  }
  return bits / 8;
}

std::size_t size_by_libdeflate(const std::string& bytes, int level) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
  std::string out(libdeflate_deflate_compress_bound(compressor, bytes.size()), '\0');
  const std::size_t size =
      libdeflate_deflate_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size());
  libdeflate_free_compressor(compressor);
  return size;
}

}  // namespace

TEST_CASE("literal blocks of any bytes") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  std::string skewed;  // code lengths up to the limit
  for (int letter = 0, count = 1; letter < 22; ++letter, count = count * 2 - count / 3) {
    skewed.append(static_cast<std::size_t>(count), static_cast<char>('a' + letter));
  }
  for (const std::string& text : {std::string(), std::string("a"), std::string(5000, 'z'), every,
                                  every + every, skewed, random_letters("01", 999, 1)}) {
    CAPTURE(text.size());
    CHECK(inflated(literals_alone(text), text.size()) == text);
    CHECK(inflated(fixed_codes_alone(text), text.size()) == text);
  }
}

TEST_CASE("bits in a row") {
  BitString bits;
  bits.put(5, 3);
  bits.put("\xff\x01", 9);
  CHECK(bits.size() == 12);
  bits.set(11, false);
  bits.set(3, false);
  CHECK(bits.take() == std::string("\xf5\x07"));
}

TEST_CASE("texts between quotes, of every kind and length, read back") {
  const std::string weights = random_letters("0123456789abcdef", 60000, 2);
  const std::string zeros(50000, '0');
  const std::string words = [] {
    std::string all;
    while (all.size() < 40000) all += "the quick brown fox ";
    return all;
  }();
  const std::string files[] = {"",
                               "\"",
                               "plain",
                               "[\"" + weights + "\"]",
                               "[\"" + weights + "\",\"" + zeros + "\",\"" + weights + "\"]",
                               "\"" + zeros + "\"",
                               weights,
                               "\"" + weights,
                               "{\"a\":\"" + words + "\",\"b\":[1,2],\"c\":\"" + weights + "\"} ",
                               random_letters("\"\\\n\x80\xff", 90000, 3)};
  for (const std::string& file : files) {
    for (const int level : {1, 6, 12}) {
      CAPTURE(file.size());
      CAPTURE(level);
      const std::string stream = deflate(file, level);
      CHECK(stream == deflate(file, level));
      if (stream.empty()) {
        CHECK(file.size() < 40);
      } else {
        CHECK(inflated(stream, file.size()) == file);
      }
    }
  }
}

TEST_CASE("bytes that do not compress are given up") {
  std::string noise;
  std::mt19937 random(4);
  for (int i = 0; i < 100000; ++i) noise += static_cast<char>(random() & 255);
  CHECK(deflate(noise, 12).empty());
  CHECK(deflate(noise + "\"" + noise + "\"", 12).empty());
}

TEST_CASE("weights come near their entropy, repetitions near nothing") {
  const std::string skewed = random_letters("0000000011112233445566789abcdef", 200000, 5);
  const std::string even =
      random_letters("0123456789abcdefghijklmnopqrstuvwxyz!#$%&()*+,-./:;<=>?@[]^_{|}~", 200000, 6);
  for (const std::string& text : {skewed, even}) {
    const std::string file = "[\"" + text + "\"]";
    CHECK(static_cast<double>(deflate(file, 12).size()) < 1.015 * entropy_bytes(text) + 100);
  }
  CHECK(deflate("[\"" + std::string(200000, '0') + "\"]", 12).size() < 300);
}

TEST_CASE("mixed letters take a block of literals where libdeflate's matches cost more") {
  // One letter in two of a kind: a stream of digits whose codebook is skewed.
  const std::string skewed =
      random_letters("000000000000000011111111222233445566789abcdef", 300000, 7);
  const std::string file = "[\"" + skewed + "\"]";
  CHECK(static_cast<double>(deflate(file, 6).size()) <
        0.95 * static_cast<double>(size_by_libdeflate(file, 6)));
  CHECK(deflate(file, 12).size() < size_by_libdeflate(file, 12));
}
