// One-bit codes as letters for the smallest file; wider codes are those of the encoding "digits".
// The row's bits, one after the other, are cut into words of a prefix code, and each word is a
// letter: 63 words of six bits, one of seven, one of eight, two of nine. Evenly mixed bits give
// letters as common as deflate's own codes for them are short, so that deflate adds nothing but its
// end mark. (Letters of six bits each would leave no short code for that mark, and take 0.26 %
// more.) A letter costs six or seven comparisons to decode. Rows have no fixed number of letters; a
// tensor begins with a letter of its own. See quant/encoding.h for what each function promises.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

int letters_row_letters(int bits, int groups);
void letters_pack(const CodedTensor& tensor, std::string_view codebook,
                  std::span<std::string> streams);
std::size_t letters_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                           CodedTensor& tensor);
DecodeProc letters_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits);

}  // namespace sb3lm
