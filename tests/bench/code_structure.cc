// How much less the codes of a finished .sb3 could take: by adaptive arithmetic coders that know
// their neighbourhood, and by deflate if rows or columns that are alike had texts of their own.
//   code_structure FILE.sb3...
// Bytes of all codes of a width, codebooks included, and the difference as a share of the file.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/entropy.h"
#include "base/error.h"
#include "quant/code_widths.h"
#include "sb3/deflate.h"
#include "sb3/sb3.h"
#include "unpack/unpack.h"

namespace sb3lm {
namespace {

constexpr int kClasses = 32;  // of a context

// What a code's probability may depend on. `row` and `column` are the sizes of the codes of its row
// and column so far; `scale` is the row scale's rank in the matrix, which the file says anyway.
enum Context { matrix, scale, row, column, left, above, kContexts };
using Place = std::array<int, kContexts>;  // a code's class of each

struct Counts {
  float ones = 0, all = 0;
};

// The exact length of an adaptive binary arithmetic code, most significant bit first. Each context
// counts for itself and begins as the counts without any; predictions are mixed as logits.
class Coder {
 public:
  Coder(int bits, std::vector<Context> contexts)
      : bits_(bits), contexts_(std::move(contexts)), plain_(std::size_t{1} << bits) {
    counts_.assign(contexts_.size(), std::vector<Counts>(std::size_t{kClasses} << bits));
    const double equal = 1.0 / static_cast<double>(contexts_.size() + 1);
    weights_.assign(static_cast<std::size_t>(bits),
                    std::vector<double>(contexts_.size() + 1, equal));
  }

  void begin_matrix() {
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
      if (contexts_[i] == matrix) std::fill(counts_[i].begin(), counts_[i].end(), Counts{});
    }
  }

  double code_bits(int code, const Place& place) {
    double sum = 0;
    std::size_t node = 1;
    for (int depth = 0; depth < bits_; ++depth) {
      const int bit = code >> (bits_ - 1 - depth) & 1;
      sum += bit_bits(bit, node, place, weights_[static_cast<std::size_t>(depth)]);
      node = 2 * node + static_cast<std::size_t>(bit);
    }
    return sum;
  }

 private:
  static double logit(double p) { return std::log(p / (1 - p)); }

  double bit_bits(int bit, std::size_t node, const Place& place, std::vector<double>& weights) {
    constexpr double kPrior = 8, kRate = 0.002;
    Counts& plain = plain_[node];
    const double usual = (plain.ones + 0.5) / (plain.all + 1);
    std::array<double, kContexts + 1> inputs;
    inputs[0] = logit(usual);
    double sum = weights[0] * inputs[0];
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
      Counts& counts = counts_of(i, node, place);
      inputs[i + 1] = logit((counts.ones + kPrior * usual) / (counts.all + kPrior));
      sum += weights[i + 1] * inputs[i + 1];
      counts = {counts.ones + static_cast<float>(bit), counts.all + 1};
    }
    plain = {plain.ones + static_cast<float>(bit), plain.all + 1};
    const double p = std::clamp(1 / (1 + std::exp(-sum)), 1e-5, 1 - 1e-5);
    if (!contexts_.empty()) {
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += kRate * (bit - p) * inputs[i];
    }
    return -std::log2(bit == 1 ? p : 1 - p);
  }

  Counts& counts_of(std::size_t i, std::size_t node, const Place& place) {
    const auto of_class = static_cast<std::size_t>(place[contexts_[i]]);
    return counts_[i][(of_class << bits_) + node];
  }

  int bits_;
  std::vector<Context> contexts_;
  std::vector<Counts> plain_;                 // by bits before
  std::vector<std::vector<Counts>> counts_;   // by context; by class and bits before
  std::vector<std::vector<double>> weights_;  // by depth
};

// Mean size of levels so far, against what it is elsewhere.
struct RunningSize {
  double sum = 0, count = 0;

  void add(double size) {
    sum += size;
    count += 1;
  }
  double mean() const { return (sum + 1) / (count + 1); }
  int class_against(double usual) const {
    constexpr double kPrior = 6;
    const double ratio = (sum + kPrior * usual) / (count + kPrior) / usual;
    return std::clamp(static_cast<int>(std::lround(8 * std::log2(ratio))) + kClasses / 2, 0,
                      kClasses - 1);
  }
};

std::vector<int> scale_classes(const CodedTensor& tensor) {
  std::vector<int> order(tensor.row_scale.size()), classes(order.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return tensor.row_scale[static_cast<std::size_t>(a)] <
           tensor.row_scale[static_cast<std::size_t>(b)];
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    classes[static_cast<std::size_t>(order[i])] = static_cast<int>(i * kClasses / order.size());
  }
  return classes;
}

double matrix_bits(Coder& coder, const CodedTensor& tensor) {
  const auto rows = static_cast<std::size_t>(tensor.shape.rows),
             cols = static_cast<std::size_t>(tensor.shape.cols);
  const int drop = std::max(0, tensor.format.bits - 5);  // of a neighbour's bits
  const std::vector<int> scales = scale_classes(tensor);
  std::vector<RunningSize> columns(cols);
  RunningSize whole;
  double sum = 0;
  coder.begin_matrix();
  for (std::size_t r = 0; r < rows; ++r) {
    RunningSize row_size;
    for (std::size_t c = 0; c < cols; ++c) {
      const std::size_t at = r * cols + c;
      Place place{};
      place[scale] = scales[r];
      place[row] = row_size.class_against(whole.mean());
      place[column] = columns[c].class_against(whole.mean());
      place[left] = c > 0 ? tensor.codes[at - 1] >> drop : 0;
      place[above] = r > 0 ? tensor.codes[at - cols] >> drop : 0;
      sum += coder.code_bits(tensor.codes[at], place);
      const double size = std::abs(tensor.format.level(tensor.codes[at]));
      for (RunningSize* each : {&row_size, &columns[c], &whole}) each->add(size);
    }
  }
  return sum;
}

double adaptive_bytes(int bits, const CodedTensors& tensors, std::vector<Context> contexts) {
  Coder coder(bits, std::move(contexts));
  double sum = 0;
  for (const CodedTensor* tensor : tensors) sum += matrix_bits(coder, *tensor);
  return sum / 8;
}

// As a finished file has them; codebooks at half a byte for a hex digit.
double deflated_bytes(const std::vector<GroupText>& texts) {
  constexpr int kLevel = 12;
  double bytes = 0;
  for (const GroupText& text : texts) {
    bytes += static_cast<double>(text.codebook.size()) / 2;
    for (const std::string& stream : text.streams) {
      bytes += static_cast<double>(deflate('"' + stream + '"', kLevel).size());
    }
  }
  return bytes;
}

// A row or a column of a matrix.
struct Line {
  const CodedTensor* tensor = nullptr;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint64_t> counts;
  std::size_t of_class = 0;
};

std::vector<Line> lines_of(const CodedTensors& tensors, int bits, bool columns) {
  std::vector<Line> lines;
  for (const CodedTensor* tensor : tensors) {
    const auto cols = static_cast<std::size_t>(tensor->shape.cols);
    const std::size_t size = tensor->codes.size();
    const std::size_t count = columns ? cols : size / cols;
    for (std::size_t i = 0; i < count; ++i) {
      Line line{.tensor = tensor, .counts = std::vector<std::uint64_t>(std::size_t{1} << bits)};
      for (std::size_t k = 0; k < size / count; ++k) {
        line.codes.push_back(tensor->codes[columns ? k * cols + i : i * cols + k]);
        ++line.counts[line.codes.back()];
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

// Classes such that their own statistics say most, by Lloyd's iteration from quantiles of entropy.
void classify(std::vector<Line>& lines, std::size_t classes) {
  std::vector<std::pair<double, Line*>> order;
  for (Line& line : lines) {
    order.emplace_back(entropy_bits(line.counts) / static_cast<double>(line.codes.size()), &line);
  }
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i].second->of_class = i * classes / order.size();
  }
  constexpr int kRounds = 12;
  const std::size_t codes = lines.front().counts.size();
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::vector<double>> costs(classes, std::vector<double>(codes, 0.5));
    for (const Line& line : lines) {
      for (std::size_t i = 0; i < codes; ++i) {
        costs[line.of_class][i] += static_cast<double>(line.counts[i]);
      }
    }
    for (auto& cost : costs) {
      const double all = std::accumulate(cost.begin(), cost.end(), 0.0);
      for (double& each : cost) each = std::log2(all / each);
    }
    for (Line& line : lines) {
      const auto bits = [&](std::size_t of_class) {
        return std::inner_product(costs[of_class].begin(), costs[of_class].end(),
                                  line.counts.begin(), 0.0);
      };
      for (std::size_t k = 0; k < classes; ++k) {
        if (bits(k) < bits(line.of_class)) line.of_class = k;
      }
    }
  }
}

// With texts and codebooks of their own for each class, and the classes' entropy.
double classed_bytes(const CodeEncoding& encoding, int bits, const CodedTensors& tensors,
                     bool columns, std::size_t classes) {
  std::vector<Line> lines = lines_of(tensors, bits, columns);
  classify(lines, classes);
  std::vector<std::uint64_t> counts(classes);
  std::vector<CodedTensor> gathered(classes, {.format = tensors.front()->format});
  for (const Line& line : lines) {
    ++counts[line.of_class];
    auto& codes = gathered[line.of_class].codes;
    codes.insert(codes.end(), line.codes.begin(), line.codes.end());
  }
  double bytes = entropy_bits(counts) / 8;
  for (CodedTensor& all : gathered) {
    if (all.codes.empty()) continue;
    all.shape = {1, static_cast<int>(all.codes.size())};
    bytes += deflated_bytes(encode_width(encoding, bits, {&all}));
  }
  return bytes;
}

void print_width(const CodeEncoding& encoding, int bits, const CodedTensors& tensors,
                 double file_bytes) {
  const double now = deflated_bytes(encode_width(encoding, bits, tensors));
  const auto print = [&](const char* what, double bytes) {
    fmt::print("  {:<38} {:>10.0f} {:>+7.2f} %\n", what, bytes, 100 * (bytes - now) / file_bytes);
    std::fflush(stdout);
  };
  print("in the file", now);
  double entropy = 0;
  for (const CodedTensor* tensor : tensors) entropy += entropy_bits_of_bytes(tensor->codes) / 8;
  print("entropy, each matrix by itself", entropy);
  print("adaptive: order 0", adaptive_bytes(bits, tensors, {}));
  print("  and by matrix", adaptive_bytes(bits, tensors, {matrix}));
  print("  and by the row's scale", adaptive_bytes(bits, tensors, {matrix, scale}));
  print("  and by the sizes in the row", adaptive_bytes(bits, tensors, {matrix, row}));
  print("  and by the sizes in the column", adaptive_bytes(bits, tensors, {matrix, column}));
  print("  and by the left neighbour", adaptive_bytes(bits, tensors, {matrix, left}));
  print("  and by the neighbour above", adaptive_bytes(bits, tensors, {matrix, above}));
  print("  and by both neighbours", adaptive_bytes(bits, tensors, {matrix, left, above}));
  print("  all of it", adaptive_bytes(bits, tensors, {matrix, scale, row, column, left, above}));
  if (bits == 1) return;
  print("deflate: rows in 2 classes", classed_bytes(encoding, bits, tensors, false, 2));
  print("  in 4", classed_bytes(encoding, bits, tensors, false, 4));
  print("  columns in 2 classes", classed_bytes(encoding, bits, tensors, true, 2));
  print("  in 4", classed_bytes(encoding, bits, tensors, true, 4));
}

void print_file(const std::string& path) {
  const MappedFile file(path);
  const Unpacked unpacked = unpack(path, read_sb3(path, file.bytes(), own_targets));
  fmt::print("{}: {} bytes\n", path, file.bytes().size());
  std::map<std::pair<int, std::string>, CodedTensors> widths;  // in the file's order
  for (const UnpackedTensor& tensor : unpacked.tensors) {
    const auto* coded = std::get_if<CodedTensor>(&unpacked.model.at(tensor.key));
    if (coded != nullptr) widths[{tensor.bits, tensor.encoding}].push_back(coded);
  }
  for (const auto& [width, tensors] : widths) {
    const auto& [bits, encoding] = width;
    fmt::print(" {} bits as {}: {} matrices\n", bits, encoding, tensors.size());
    print_width(code_encoding(encoding), bits, tensors, static_cast<double>(file.bytes().size()));
  }
}

}  // namespace
}  // namespace sb3lm

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    for (int i = 1; i < argc; ++i) sb3lm::print_file(argv[i]);
  } catch (const sb3lm::Error& error) {
    fmt::print(stderr, "code_structure: {}\n", error.what());
    return static_cast<int>(error.fault);
  }
}
