// PyTorch's files: every layout and compression that we write is read, and whatever is broken, odd
// or hostile gets one line that says what and where, soon and in little memory.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "base/half.h"
#include "import/formats.h"
#include "support/pickles.h"
#include "support/tiny_model.h"
#include "synth/compress.h"
#include "synth/torch_out.h"
#include "synth/torch_zip.h"

using namespace sb3lm;
using namespace sb3lm::test;
using namespace sb3lm::test::pickles;

namespace {

constexpr double kSeconds = 2;
constexpr long kMegabytes = 500;

SilentProgress silent;

/// How reading fails as a whole model, which takes little time and one line: "fault: text".
std::string refusal(const std::string& bytes, const std::string& name = "x.pt") {
  const std::clock_t start = std::clock();
  std::string text = "it was read";
  try {
    import_from_memory({.checkpoint = {name, as_bytes(bytes)}}, {}, silent);
  } catch (const Error& problem) {
    text = fmt::format("{}: {}", static_cast<int>(problem.fault), problem.what());
    CHECK((problem.fault == Fault::bad_input || problem.fault == Fault::unsupported));
    CHECK(text.size() < 1000);
  }
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < kSeconds);
  CHECK(text.find('\n') == text.npos);
  return text;
}

void check_refused(const std::string& bytes, Fault fault, const std::string& words) {
  const std::string text = refusal(bytes);
  CHECK_MESSAGE(text.starts_with(fmt::format("{}: x.pt", static_cast<int>(fault))), text);
  CHECK_MESSAGE(text.find(words) != text.npos, text, " does not say: ", words);
}
void check_broken(const std::string& bytes, const std::string& words) {
  check_refused(bytes, Fault::bad_input, words);
}
void check_unsupported(const std::string& bytes, const std::string& words) {
  check_refused(bytes, Fault::unsupported, words);
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

Container read(const std::string& bytes) {
  return read_torch({.checkpoint = {"x.pt", as_bytes(bytes)}});
}

/// The one tensor of a file that holds this pickled one, with storage "0".
std::string with_tensor(const std::string& tensor, const std::string& storage) {
  return file(dict({text("t"), tensor}), {storage});
}

const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};

/// A view of six floats, in another way than row by row.
std::vector<float> viewed(std::int64_t first, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
  const std::string bytes = with_tensor(
      tensor({.storage_elements = 6, .first = first, .shape = shape, .strides = strides}),
      raw(kSix));
  const Container container = read(bytes);
  const StoredTensor& stored = container.tensors.front();
  CHECK(stored.shape == shape);
  std::vector<float> values(stored.bytes.size() / sizeof(float));
  std::copy(stored.bytes.begin(), stored.bytes.end(),
            reinterpret_cast<std::uint8_t*>(values.data()));
  return values;
}

std::string repeated(const std::string& piece, std::size_t times) {
  std::string all;
  all.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += piece;
  return all;
}

}  // namespace

TEST_CASE("every layout and compression holds the same tensors") {
  const std::string codes("\x01\xff\x02\xfe", 4), scales = raw<std::uint16_t>({0x3c00, 0x3800});
  for (const TorchLayout layout :
       {TorchLayout::state, TorchLayout::model, TorchLayout::records, TorchLayout::clean}) {
    for (const Compression how :
         {Compression::none, Compression::zlib, Compression::zstd, Compression::xz}) {
      std::vector<TorchTensor> tensors = {{"m", "F32", {2, 3}, raw(kSix)},
                                          {"n", "BF16", {}, raw<std::uint16_t>({0x4040})}};
      const bool coded = layout == TorchLayout::records || layout == TorchLayout::clean;
      if (coded) tensors.push_back({"q", "I8", {2, 2}, codes, scales});
      const Container container =
          read(write_torch(tensors, {.layout = layout, .compression = how}));
      REQUIRE(container.tensors.size() == tensors.size());
      REQUIRE(container.find("m") != nullptr);
      CHECK(as_text(container.find("m")->bytes) == raw(kSix));
      CHECK(container.find("n")->shape.empty());
      if (!coded) continue;
      CHECK(as_text(container.find("q")->bytes) == codes);
      CHECK(as_text(container.find("q")->row_scales) == scales);
    }
  }
}

TEST_CASE("strides, offsets, shared storages, single numbers and empty tensors") {
  CHECK(viewed(0, {2, 3}, {3, 1}) == kSix);
  CHECK(viewed(0, {3, 2}, {1, 3}) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(viewed(2, {2, 2}, {2, 1}) == std::vector<float>{3, 4, 5, 6});
  CHECK(viewed(1, {3}, {2}) == std::vector<float>{2, 4, 6});
  CHECK(viewed(4, {2, 2}, {0, 1}) == std::vector<float>{5, 6, 5, 6});
  CHECK(viewed(5, {}, {}) == std::vector<float>{6});
  CHECK(viewed(0, {0, 3}, {3, 1}).empty());
  CHECK(viewed(0, {1, 6}, {77, 1}) == kSix);  // the stride of one row says nothing
  const std::string shared = file(dict({text("a"), whole("FloatStorage", "0", {6}), text("b"),
                                        whole("FloatStorage", "0", {6})}),
                                  {raw(kSix)});
  const Container both = read(shared);
  CHECK(both.tensors[0].bytes.data() == both.tensors[1].bytes.data());
}

TEST_CASE("what reaches out of its storage, or has another size than it says") {
  const auto check_view = [](View view, const std::string& words) {
    view.storage_elements = 6;
    check_broken(with_tensor(tensor(view), raw(kSix)), "x.pt: tensor 't': " + words);
  };
  const std::string past = "it reaches past the 6 elements of its storage '0'";
  constexpr std::int64_t kFar = std::int64_t{1} << 40, kFarther = std::int64_t{1} << 62;
  check_view({.first = 1, .shape = {2, 3}, .strides = {3, 1}}, past);
  check_view({.first = 6, .shape = {}, .strides = {}}, past);
  check_view({.first = -1, .shape = {1}, .strides = {1}}, past);
  check_view({.first = kFarther, .shape = {2}, .strides = {1}}, past);
  check_view({.shape = {7}, .strides = {1}}, past);
  check_view({.shape = {7}, .strides = {0}}, past);
  check_view({.shape = {2}, .strides = {6}}, past);
  check_view({.shape = {kFar, kFar}, .strides = {1, 1}}, past);
  check_view({.shape = {2, 2}, .strides = {kFar, kFar}}, past);
  check_view({.shape = {kFarther}, .strides = {1}}, "an extent or stride is outside 0..");
  check_view({.shape = {2}, .strides = {-1}}, "an extent or stride is outside 0..");
  check_view({.shape = {2, 3}, .strides = {3}}, "its extents and strides differ in rank");
  check_view({.shape = std::vector<std::int64_t>(9, 1), .strides = std::vector<std::int64_t>(9, 1)},
             "rank 9 is more than 8");
  check_broken(with_tensor(whole("FloatStorage", "0", {6}), raw(kSix).substr(4)),
               "x.pt: tensor 't': its storage '0' has 20 bytes, not 6 elements of F32");
  check_broken(with_tensor(whole("DoubleStorage", "0", {6}), raw(kSix)),
               "its storage '0' has 24 bytes, not 6 elements of F64");
  check_broken(with_tensor(whole("FloatStorage", "7", {6}), raw(kSix)),
               "x.pt: no record 'archive/data/7'");
  check_broken(with_tensor(whole("FloatStorage", "../data.pkl", {6}), raw(kSix)),
               "x.pt: no record 'archive/data/../data.pkl'");
}

TEST_CASE("opcodes and globals that no checkpoint needs are named with their place") {
  const auto at_pickle = [](const std::string& value) { return file_of_pickle(pickle(value)); };
  // The pickle begins with two bytes, so the first value stands at byte 2.
  check_unsupported(at_pickle(global("os", "system") + "(" + text("true") + "tR"),
                    "x.pt: data.pkl: byte 24: global 'os system' is called with arguments");
  check_unsupported(at_pickle(global("torch.nn", "Linear")),
                    "x.pt: data.pkl: byte 2: global 'torch.nn Linear' is not read; save "
                    "state_dict()");
  check_unsupported(at_pickle("}" + global("a", "B") + global("c", "D")),
                    "byte 8: global 'c D' beside 'a B'");
  struct Case {
    std::string opcode, words;
  };
  const Case cases[] = {
      {"i", "opcode INST"},        {"o", "opcode OBJ"},       {"\x93", "opcode STACK_GLOBAL"},
      {"\x82\x01", "opcode EXT1"}, {"P0\n", "opcode PERSID"}, {"\x95", "opcode FRAME"},
      {"V\n", "opcode UNICODE"},   {"0", "opcode POP"}};
  for (const Case& one : cases) {
    check_unsupported(at_pickle("}" + one.opcode), "data.pkl: byte 3: " + one.words);
  }
  check_broken(at_pickle("}\xff"), "data.pkl: byte 3: 0xff is no opcode");
  check_unsupported(file_of_pickle("\x80\x04}."), "byte 0: pickle protocol 4");
  check_unsupported(at_pickle("\x8a\x09" + std::string(9, '\1')), "a number of 9 bytes");
  check_broken(at_pickle("cos\n\nR"), "a global without a name");
  check_broken(at_pickle("c\x1b[31m\nx\nR"), "a global without a name");
  // A class of the file's own is kept as a record, but is no dict of tensors.
  check_unsupported(at_pickle(global("my", "Model") + ")\x81"),
                    "it holds an object and not a dict");
}

TEST_CASE("pickles that are cut, empty or out of order") {
  const auto of = [](const std::string& pickle) { return file_of_pickle(pickle); };
  check_broken(of(""), "data.pkl: byte 0");
  check_broken(of("\x80"), "data.pkl: byte 1");
  check_broken(of("\x80\x02"), "data.pkl: byte 2");
  check_broken(of("\x80\x02."), "byte 2: nothing is on the stack");
  check_broken(of("\x80\x02}(u"), "data.pkl: byte 5");
  check_broken(of("\x80\x02t."), "byte 2: there is no mark on the stack");
  check_broken(of("\x80\x02}(" + text("a") + "u."), "a dict's key has no value");
  check_broken(of("\x80\x02h\x05."), "byte 2: memo 5 is empty");
  check_broken(of("\x80\x02)a."), "byte 3: nothing is on the stack");
  check_broken(of("\x80\x02)R."), "byte 3: 2 values are needed, 1 are on the stack");
  check_broken(of("\x80\x02)Na."), "byte 4: a tuple stands where a list is needed");
  check_broken(of("\x80\x02X\xff\xff\xff\xff."), "4294967295 bytes needed");
  check_broken(of("\x80\x02X\x01" + std::string(3, '\0') + "\xff."), "a text is not UTF-8");
  check_broken(of("\x80\x02}Q."), "a dict stands where a tuple is needed");
  check_broken(of("\x80\x02)Q."), "a persistent id that is no storage");
  check_broken(of("\x80\x02))R."), "a tuple is called with a tuple");
  check_broken(file(global("torch._utils", "_rebuild_tensor_v2") + ")R"),
               "_rebuild_tensor_v2 is called with something else");
  check_broken(file(dict({})), "it holds no tensors");
  check_broken(file(dict({text("a"), integer(3)})), "tensor 'a': it is a number and not a tensor");
  check_broken(file(dict({integer(3), integer(3)})), "the dict of tensors has a number for a name");
  const std::string one = whole("FloatStorage", "0", {6});
  check_broken(file(dict({text("a"), one, text("a"), one}), {raw(kSix)}), "names 'a' twice");
  check_broken(file(dict({text(std::string(2000, 'a')), one}), {raw(kSix)}),
               "has a name of 2000 bytes, more than 1000");
}

TEST_CASE("pickles that nest, loop or grow end soon") {
  const std::string one = whole("FloatStorage", "0", {6});
  const auto with_config = [&](const std::string& config) {
    return file(dict({text("cfg"), config, text("model"), dict({text("a"), one})}), {raw(kSix)});
  };
  // A list and a dict that hold themselves, by way of the memo.
  const std::string nested = "it is nested deeper than 32";
  check_broken(with_config(dict({text("x"),
                                 "]q\x01(h\x01h\x01"
                                 "e"})),
               nested);
  check_broken(with_config("}q\x01(" + text("self") + "h\x01u"), nested);
  check_broken(with_config(dict({text("x"), repeated("(", 100'000) + repeated("t", 100'000)})),
               nested);
  check_broken(with_config(dict({text("x"), ")" + repeated("\x85", 1000)})), nested);
  // Thirty doublings of one tuple are a billion values if each is walked.
  std::string doubled = "Nq\x01";
  for (int i = 0; i < 30; ++i) doubled += "h\x01\x86q\x01";
  check_broken(with_config(dict({text("x"), doubled})), "holds more than 100000 values");
  // Dicts that are the model and hold themselves.
  check_broken(file("}q\x01(" + text("model") + "h\x01u"), "tensor 'model': it is a dict");
  check_broken(file(repeated("]", 1'100'000)), "it makes more than 1000000 values");
  check_broken(file_of_pickle(std::string((16 << 20) + 1, 'N')), "are more than 16777216");
  check_unsupported(file(repeated("N", 15 << 20)), "it holds None and not a dict");
  check_broken(file(repeated("(", 15 << 20)), "nothing is on the stack");
  // Places in the memo that fall into one bucket of a hash table.
  std::string memo = "}";
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    const std::uint32_t index = i % 4000 * 1'056'323 + i / 4000;
    memo += "r" + raw<std::uint32_t>({index});
  }
  check_broken(file(memo), "it holds no tensors");
  // The same tensor under very many names.
  std::string many = one + "q\x01" + "0";
  many = "}q\x02" + text("w") + one + "q\x01s(";
  for (int i = 0; i < 70'000; ++i) many += text(fmt::format("{:06}", i)) + "h\x01";
  check_broken(file(many + "u", {raw(kSix)}), "the dict of tensors has more than 65536 entries");
  std::string scaled;
  for (int i = 0; i < 60'000; ++i) scaled += text(fmt::format("{:06}", i)) + "h\x01";
  const std::string all = "}(" + scaled + "u";
  check_broken(
      file(dict({text("__quant_format__"), text("int8_clean_per_row_v1"), text("passthrough"),
                 "}(" + text("p") + one + "q\x01u", text("quantized"), all, text("scales"), all}),
           {raw(kSix)}),
      "its codes are F32, not I8");
}

TEST_CASE("layers by the thousand") {
  std::string many = "}(" + text("tok_emb.weight") + whole("FloatStorage", "0", {2, 3}) + "q\x01";
  for (int i = 0; i < 30'000; ++i) {
    many += text(fmt::format("blocks.{}.attn.q_gain", i)) + "h\x01";
    many += text(fmt::format("blocks.{}.attn.c_q.weight", i)) + "h\x01";
  }
  check_broken(file(many + "u", {raw(kSix)}), "30000 layers are more than 512");
}

TEST_CASE("zips that are broken, overlap or hide something") {
  const std::string good = with_tensor(whole("FloatStorage", "0", {6}), raw(kSix));
  for (std::size_t size = 100; size < good.size(); size += good.size() / 97) {
    CHECK(refusal(good.substr(0, size)) != "it was read");
  }
  std::string bad = good;
  bad[bad.find(raw(kSix))] ^= 1;
  check_broken(bad, "record 'archive/data/0': its checksum is wrong");

  // Of an entry of the directory: 10 is the method, 8 the flags, 24 the size, 42 the place.
  const auto changed = [&](std::string_view record, std::size_t field, const std::string& bytes) {
    std::string copy = good;
    const std::size_t name = copy.rfind("archive/" + std::string(record));
    REQUIRE(copy.substr(name - 46, 4) == "PK\1\2");
    return copy.replace(name - 46 + field, bytes.size(), bytes);
  };
  check_unsupported(changed("data/0", 10, {'\x08', '\0'}), "record 'archive/data/0' is compressed");
  check_unsupported(changed("data/0", 8, {'\x01', '\0'}), "record 'archive/data/0' is encrypted");
  check_broken(changed("data/0", 24, raw<std::uint32_t>({23})), "stored with two different sizes");
  check_broken(changed("data/0", 42, raw<std::uint32_t>({7})), "no local header here");
  check_broken(changed("data/0", 42, raw<std::uint32_t>({0x7fffffff})), "past the end");
  check_broken(changed("data/0", 20, raw<std::uint32_t>({1u << 30, 1u << 30})), "bytes needed");
  check_broken(changed("data/0", 0, "PK\1\1"), "an entry without its signature");

  // A thousand names for one large record, each of which would have to be checked.
  const std::string large(1 << 20, '\0');
  std::vector<TorchRecord> records;
  std::string value = "}(";
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.push_back(fmt::format("data/{:03}", i));
    value += text(fmt::format("t{}", i)) + whole("ByteStorage", fmt::format("{:03}", i), {1 << 20});
  }
  const std::string all = pickle(value + "u");
  records.push_back({"data.pkl", all});
  for (const std::string& name : names)
    records.push_back({name, name == names[0] ? std::string_view(large) : ""});
  std::string overlapping = zip_records("archive", records);
  const std::size_t first = overlapping.rfind("archive/" + names[0]) - 46;
  for (std::size_t i = 1; i < names.size(); ++i) {
    const std::size_t entry = overlapping.rfind("archive/" + names[i]) - 46;
    overlapping.replace(entry + 16, 12, overlapping.substr(first + 16, 12));
    overlapping.replace(entry + 42, 4, overlapping.substr(first + 42, 4));
  }
  check_broken(overlapping, "it shares bytes with other records");
  CHECK(refusal(zip_records("a", {{"data.pkl", "x"}, {"b/data.pkl", "x"}})).find("both") !=
        std::string::npos);
}

TEST_CASE("other byte orders and other programs' files") {
  const std::string value = pickle(dict({text("t"), whole("FloatStorage", "0", {6})}));
  const std::string numbers = raw(kSix);
  check_unsupported(
      zip_records("m", {{"data.pkl", value}, {"byteorder", "big"}, {"data/0", numbers}}),
      "its numbers are big-endian; save it on a little-endian machine");
  check_unsupported(zip_records("m", {{"data.pkl", value}, {"constants.pkl", value}}),
                    "this is a TorchScript program");
  check_unsupported(std::string(kOldTorch) + "\x80\x02M\xe9\x03.",
                    "a PyTorch checkpoint of before 1.6");
  check_unsupported("BSHF\2xyz", "an artifact whose bytes were moved for brotli (BSHF)");
  CHECK(refusal("\x5b\x02 and so on", "x.ptz").find("perhaps with brotli") != std::string::npos);
  for (const Compression how : {Compression::zlib, Compression::zstd, Compression::xz}) {
    check_unsupported(compress(std::string(kOldTorch) + "and so on", how),
                      "x.pt, decompressed: it is a PyTorch checkpoint of before 1.6");
    check_unsupported(compress("BSHF\2xyz", how), "decompressed: it is shuffled bytes (BSHF)");
    check_unsupported(compress("", how), "it is no zip as torch.save writes it");
  }
}

TEST_CASE("compressed files that are cut, go on or unpack to too much") {
  const std::string good = with_tensor(whole("FloatStorage", "0", {6}), raw(kSix));
  struct Case {
    Compression how;
    std::string name;
  };
  for (const Case& one : {Case{Compression::zlib, "zlib"}, Case{Compression::zstd, "zstd"},
                          Case{Compression::xz, "xz"}}) {
    CAPTURE(one.name);
    const std::string packed = compress(good, one.how);
    CHECK(read(packed).tensors.size() == 1);
    const std::string where = "x.pt: compressed with " + one.name;
    check_broken(packed.substr(0, packed.size() - 5), where + ": ");
    check_broken(packed + "more", where + ": 4 bytes lie behind what is compressed");
    std::string bad = packed;
    bad[bad.size() / 2] ^= 0x55;
    CHECK(refusal(bad) != "it was read");
    check_broken(compress(std::string(120 << 20, '\0'), one.how), "weights do not");
  }
}

TEST_CASE("artifacts whose parts do not fit together") {
  const std::string codes = whole("CharStorage", "0", {2, 3}),
                    half = whole("HalfStorage", "1", {2});
  const std::string six("\1\2\3\4\5\6", 6), two = raw<std::uint16_t>({0x3c00, 0x3800});
  const auto artifact = [&](const std::vector<std::string>& w, const std::vector<std::string>& m) {
    return file(dict({text("w"), dict(w), text("m"), dict(m)}), {six, two});
  };
  const std::string how = dict({text("type"), text("int6")});
  CHECK(read(artifact({text("a.q"), codes, text("a.scale"), half}, {text("a"), how}))
            .tensors.size() == 1);
  check_broken(artifact({text("a.q"), codes}, {text("a"), how}), "'a.scale' is not in 'w'");
  check_broken(artifact({text("a.q"), codes, text("a.scale"), half}, {}),
               "tensor 'a.q': it is in 'w', but 'm' does not say how it is stored");
  check_broken(artifact({text("a.q"), codes, text("a.scale"), codes}, {text("a"), how}),
               "tensor 'a': its scale is I8, neither F16 nor F32");
  check_broken(artifact({text("a.q"), half, text("a.scale"), half}, {text("a"), how}),
               "its codes are F16, not I8");
  check_unsupported(artifact({text("a"), half}, {text("a"), text("sparse")}),
                    "tensor 'a': 'm' says 'sparse'");
  const std::string wrong =
      file(dict({text("w"),
                 dict({text("a.q"), whole("CharStorage", "0", {3, 2}), text("a.scale"), half}),
                 text("m"), dict({text("a"), how})}),
           {six, two});
  check_broken(wrong, "its scales are neither one number nor one for each row");
  const auto clean = [&](const std::vector<std::string>& quantised,
                         const std::vector<std::string>& scales,
                         const std::vector<std::string>& more = {}) {
    std::vector<std::string> items = {text("__quant_format__"), text("int8_clean_per_row_v1"),
                                      text("quantized"),        dict(quantised),
                                      text("scales"),           dict(scales),
                                      text("passthrough"),      dict({})};
    items.insert(items.end(), more.begin(), more.end());
    return file(dict(items), {six, two});
  };
  CHECK(read(clean({text("a"), codes}, {text("a"), half})).tensors.size() == 1);
  check_broken(clean({text("a"), codes}, {}), "tensor 'a': it has no entry in 'scales'");
  check_broken(clean({}, {text("a"), half}), "tensor 'a': it has a scale but no codes");
  check_unsupported(clean({text("a"), codes}, {text("a"), half},
                          {text("qmeta"), dict({text("a"), dict({text("axis"), integer(1)})})}),
                    "'qmeta' asks for another scheme");
  check_unsupported(file(dict({text("__quant_format__"), text("fp4")})), "'fp4' is not read");
}

TEST_CASE("memory stays within bounds") {
#if defined(__SANITIZE_ADDRESS__)
  MESSAGE("not under sanitizers, which take memory themselves");
#else
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  CHECK(usage.ru_maxrss / 1024 < kMegabytes);  // with what the tests hold
#endif
}
