// Codes by a range coder of 94 letters, for projects whose text is counted uncompressed: symbols of
// a few codes, each with a share of slots (quant/range_coder.h). The codebook has the frequencies
// of all codes. Rows have no fixed number of letters; a tensor begins with a letter of its own.
// Codes of more than 6 bits cannot be held. See quant/encoding.h for what each function promises.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

/// Codes that make a symbol.
int range_tuple(int bits);

int range_streams(int bits);
int range_row_letters(int bits, int groups);
int range_codebook_letters(int bits);
std::string range_codebook_of(int bits, std::span<const CodedTensor* const> tensors);
void range_pack(const CodedTensor& tensor, std::string_view codebook,
                std::span<std::string> streams);
std::size_t range_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                         CodedTensor& tensor);
DecodeProc range_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits);

/// Bit patterns of binary16 numbers: high bytes by frequency, low ones as they are. Returns
/// codebook and letters.
std::pair<std::string, std::string> range_pack_halves(std::span<const std::uint16_t> halves);
/// Throws bad_input.
std::vector<std::uint16_t> range_unpack_halves(std::string_view codebook, std::string_view letters,
                                               std::size_t count);

}  // namespace sb3lm
