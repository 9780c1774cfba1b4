#!/usr/bin/env bash
# The fast kernels for Arm: compiled by a cross compiler, NEON and all, and their test run in an
# emulator. Exits with 77, which CTest takes for skipped, where tools/setup --arm was not run.
set -euo pipefail
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

sources=(tests/support/main.cc tests/unit/fast_kernels_test.cc packer/model/{packed,tensor}.cc
         runtime_ref/{simd_products,simd_vectors,simd_dispatch,fast_scalar,fast_inputs}.cc)
$compiler -std=c++20 -O2 -static -ffp-contract=off -DFMT_HEADER_ONLY -Wall -Wextra -Werror -Wno-missing-field-initializers \
  -I"$folder/include" -Ipacker -I. "${sources[@]}" -o "$folder/fast_kernels_test"
$emulator "$folder/fast_kernels_test"
