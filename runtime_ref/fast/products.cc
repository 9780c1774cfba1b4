#include "runtime_ref/fast/products.h"

#include <algorithm>
#include <array>

namespace sb3lm::fast {
namespace {

void multiply_rows(const Kernels& kernels, const Product& product, std::size_t first,
                   std::size_t last) {
  const PackedMatrix& w = *product.w;
  const std::size_t vectors = product.which.size();
  if (w.storage == PackedStorage::floats) {
    std::array<const float*, kMostTokens> x{};
    for (std::size_t i = 0; i < vectors; ++i) x[i] = product.from->row(product.which[i]);
    kernels.multiply_floats({&w, first, last, x.data(), vectors, product.y, product.y_stride});
    return;
  }
  std::array<Planes, kMostTokens> x;
  std::array<FixedScale, kMostTokens> scale;
  const Planes* planes = product.from->planes(column_order(w));
  for (std::size_t i = 0; i < vectors; ++i) {
    x[i] = planes[product.which[i]];
    scale[i] = product.from->scales()[product.which[i]];
  }
  kernels.multiply({&w, first, last, x.data(), scale.data(), vectors, product.y, product.y_stride});
}

}  // namespace

void multiply(const Kernels& kernels, Workers& workers, std::span<const Product> products) {
  workers.run([&](std::size_t worker) {
    for (const Product& product : products) {
      // Whole groups of rows to a worker.
      constexpr std::size_t kGroup = 4;
      const std::size_t rows = size_of(product.w->shape.rows);
      const std::size_t share = padded_to((rows + workers.count() - 1) / workers.count(), kGroup);
      const std::size_t first = std::min(worker * share, rows);
      const std::size_t last = std::min(first + share, rows);
      if (first < last) multiply_rows(kernels, product, first, last);
    }
  });
}

}  // namespace sb3lm::fast
