#!/usr/bin/env bash
# The fast kernels for Arm: compiled by a cross compiler, NEON and all, and their test run in an
# emulator. Then our own maths, which must give the bits that the program maths_tool gives here.
#   run.sh MATHS_TOOL
# Exits with 77, which CTest takes for skipped, where tools/setup --arm was not run.
set -euo pipefail
maths_tool=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

compiler=aarch64-linux-gnu-g++ emulator=qemu-aarch64
for program in $compiler $emulator; do
  command -v $program >/dev/null || { echo "skipped: no $program (tools/setup --arm)"; exit 77; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Headers that know no architecture: the cross compiler does not look for them by itself.
mkdir "$folder/include"
for library in hwy fmt doctest; do ln -s "/usr/include/$library" "$folder/include/$library"; done

# build NAME SOURCE...
build() {
  local name=$1
  shift
  # What a source has besides what is called here needs sources of its own: left out.
  $compiler -std=c++20 -O2 -static -ffunction-sections -Wl,--gc-sections -ffp-contract=off \
    -DFMT_HEADER_ONLY -Wall -Wextra -Werror -Wno-missing-field-initializers -I"$folder/include" -Ipacker -I. -Itests "$@" -o "$folder/$name"
}

build fast_kernels_test tests/support/main.cc tests/unit/fast_kernels_test.cc \
  packer/model/{packed,tensor}.cc \
  runtime_ref/{simd_products,simd_panels,simd_bits,simd_vectors,simd_dispatch,fast_scalar,fast_inputs}.cc
$emulator "$folder/fast_kernels_test"

build maths_tool tests/maths/maths_tool.cc packer/base/portable_math.cc \
  packer/kernels/rope_constants.cc runtime_ref/maths*.cc
$emulator "$folder/maths_tool" | cmp - <("$maths_tool")
echo "our own maths: the same bits"
