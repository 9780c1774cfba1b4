// Symbols of a few weights as hex digits in separate streams, permuted so that deflate's Huffman
// codes come within a percent of the entropy (quant/codebook.h). The blocks make a table of a
// codebook when the first text of it comes. One-bit codes have no codebook: they are the encoding
// "hex". See quant/encoding.h for what each function promises.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

int digits_streams(int bits);
int digits_row_letters(int bits, int groups);
int digits_codebook_letters(int bits);
std::string digits_codebook(int bits, std::span<const CodedTensor* const> tensors);
void digits_pack(const CodedTensor& tensor, std::string_view codebook,
                 std::span<std::string> streams);
std::size_t digits_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                          CodedTensor& tensor);
DecodeProc digits_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits);

}  // namespace sb3lm
