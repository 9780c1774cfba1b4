// The plain encoding: hex digits, one per weight of 2 to 4 bits, one per four 1-bit weights; wider
// codes are split in a stream of high digits and one of low digits. See quant/encoding.h for what
// each function promises.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

int hex_streams(int bits);
int hex_row_letters(int bits, int groups);
void hex_pack(const CodedTensor& tensor, std::string_view codebook, std::span<std::string> streams);
std::size_t hex_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                       CodedTensor& tensor);
DecodeProc hex_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits);

}  // namespace sb3lm
