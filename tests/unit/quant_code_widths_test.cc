#include <doctest/doctest.h>

#include "quant/code_widths.h"
#include "support/random_model.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

constexpr Shape kShape = {256, 256};

CodedTensor flat(Random& random, int bits) {
  return random_codes(random, kShape, bits);
}

// One code nearly always.
CodedTensor steep(Random& random, int bits) {
  CodedTensor tensor = flat(random, bits);
  for (std::size_t i = 0; i < tensor.codes.size(); ++i) {
    if (i % 16 != 0) tensor.codes[i] = static_cast<std::uint8_t>(1 << (bits - 1));
  }
  return tensor;
}

CodedTensors places_of(const std::vector<CodedTensor>& tensors) {
  CodedTensors places;
  for (const CodedTensor& tensor : tensors) places.push_back(&tensor);
  return places;
}

std::size_t letters_of(const std::vector<GroupText>& texts) {
  std::size_t letters = 0;
  for (const GroupText& text : texts) {
    for (const std::string& stream : text.streams) letters += stream.size();
  }
  return letters;
}

}  // namespace

TEST_CASE("matrices of low and of high entropy have texts of their own, in their order") {
  Random random(3);
  const std::vector<CodedTensor> tensors = {steep(random, 5), flat(random, 5), steep(random, 5),
                                            flat(random, 5), flat(random, 5)};
  const CodedTensors all = places_of(tensors);
  for (const char* name : {"digits", "letters"}) {
    const CodeEncoding& encoding = code_encoding(name);
    CHECK(text_groups(encoding, 5, all) ==
          std::vector<CodedTensors>{{all[1], all[3], all[4]}, {all[0], all[2]}});
    const std::vector<GroupText> texts = encode_width(encoding, 5, all);
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].codebook != texts[1].codebook);
    CHECK(letters_of(texts) == 5 * 3 * 256 * 256 / 2);  // three digits for two codes
  }
}

TEST_CASE("one text where two would save little, or there is no codebook") {
  Random random(4);
  const std::vector<CodedTensor> alike = {flat(random, 5), flat(random, 5), flat(random, 5)};
  CHECK(text_groups(code_encoding("digits"), 5, places_of(alike)).size() == 1);
  const std::vector<CodedTensor> unlike = {flat(random, 4), steep(random, 4), flat(random, 4)};
  CHECK(text_groups(code_encoding("digits"), 4, places_of(unlike)).size() == 2);
  CHECK(text_groups(code_encoding("hex"), 4, places_of(unlike)).size() == 1);
  CHECK(text_groups(code_encoding("digits"), 4, {&unlike[0]}).size() == 1);
  std::vector<CodedTensor> small = {random_codes(random, {8, 8}, 4), steep(random, 4)};
  small[1].shape = {8, 8};
  small[1].codes.resize(64);
  CHECK(text_groups(code_encoding("digits"), 4, places_of(small)).size() == 1);
}
