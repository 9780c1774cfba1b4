// One-bit codes at six to a letter, for the smallest file: 64 equally common letters waste less of
// deflate's codes than 16 do, and cost six comparisons each to decode. Wider codes are those of the
// encoding "digits". Rows are padded to whole groups of 8 and whole letters. See quant/encoding.h
// for what each function promises.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

int base64_row_letters(int bits, int groups);
void base64_pack(const CodedTensor& tensor, std::string_view codebook,
                 std::span<std::string> streams);
void base64_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                   CodedTensor& tensor);
DecodeProc base64_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits);

}  // namespace sb3lm
