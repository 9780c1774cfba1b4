#include "support/pickles.h"

#include <fmt/format.h>

#include <cstring>

#include "synth/torch_zip.h"

namespace sb3lm::test::pickles {
namespace {

std::string integers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(integer(value));
  return tuple(items);
}

std::string joined(const std::vector<std::string>& items) {
  std::string all;
  for (const std::string& item : items) all += item;
  return all;
}

}  // namespace

std::string text(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string out = "X0000";
  std::memcpy(out.data() + 1, &size, sizeof size);
  return out.append(text);
}

std::string integer(std::int64_t value) {
  std::string out = "\x8a\x08" + std::string(sizeof value, '\0');
  std::memcpy(out.data() + 2, &value, sizeof value);
  return out;
}

std::string global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}

std::string tuple(const std::vector<std::string>& items) {
  return "(" + joined(items) + "t";
}

std::string dict(const std::vector<std::string>& items) {
  return "}(" + joined(items) + "u";
}

std::string tensor(const View& view) {
  const std::string storage = tuple({text("storage"), global("torch", view.storage_class),
                                     text(view.key), text("cpu"), integer(view.storage_elements)}) +
                              "Q";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, integer(view.first), integers(view.shape), integers(view.strides), "\x89",
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}

std::string whole(std::string_view storage_class, std::string_view key,
                  const std::vector<std::int64_t>& shape) {
  View one{.storage_class = std::string(storage_class),
           .key = std::string(key),
           .storage_elements = 1,
           .shape = shape,
           .strides = shape};
  for (std::size_t i = shape.size(); i-- > 0;) {
    one.strides[i] = one.storage_elements;
    one.storage_elements *= shape[i];
  }
  return tensor(one);
}

std::string pickle(const std::string& value) {
  return "\x80\x02" + value + ".";
}

std::string file(const std::string& value, const std::vector<std::string>& storages) {
  return file_of_pickle(pickle(value), storages);
}

std::string file_of_pickle(const std::string& pickle, const std::vector<std::string>& storages) {
  std::vector<TorchRecord> records = {{"data.pkl", pickle}, {"byteorder", "little"}};
  for (std::size_t key = 0; key < storages.size(); ++key) {
    records.push_back({fmt::format("data/{}", key), storages[key]});
  }
  records.push_back({"version", "3\n"});
  return zip_records("archive", records);
}

}  // namespace sb3lm::test::pickles
