#include "import/torch/pickle.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/reader.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using Kind = PickleValue::Kind;

// Far above what 10,000 tensors and their optimiser's take; a bound on memory, with the other one.
constexpr std::size_t kMaxValues = 1'000'000, kMaxBytes = 16u << 20;

/// What a known global does when it is called, or is.
enum class Known { storage, type, tensor, parameter, ordered_dict };
struct KnownGlobal {
  std::string_view name;  // module and name
  Known known;
  std::string_view type = {};
};
constexpr std::array<KnownGlobal, 17> kGlobals{{
    {"torch._utils _rebuild_tensor_v2", Known::tensor},
    {"torch._utils _rebuild_parameter", Known::parameter},
    {"collections OrderedDict", Known::ordered_dict},
    {"torch FloatStorage", Known::storage, "F32"},
    {"torch HalfStorage", Known::storage, "F16"},
    {"torch BFloat16Storage", Known::storage, "BF16"},
    {"torch DoubleStorage", Known::storage, "F64"},
    {"torch CharStorage", Known::storage, "I8"},
    {"torch ByteStorage", Known::storage, "U8"},
    {"torch ShortStorage", Known::storage, "I16"},
    {"torch IntStorage", Known::storage, "I32"},
    {"torch LongStorage", Known::storage, "I64"},
    {"torch BoolStorage", Known::storage, "BOOL"},
    {"torch float32", Known::type, "float32"},
    {"torch float16", Known::type, "float16"},
    {"torch bfloat16", Known::type, "bfloat16"},
    {"torch float64", Known::type, "float64"},
}};

class Machine {
 public:
  Machine(const std::string& file, Bytes bytes) : in_(file, bytes) {
    in_.reading("pickle");
    if (bytes.size() > kMaxBytes) in_.fail("{} bytes are more than {}", bytes.size(), kMaxBytes);
    // Shared, for there are many and they never change.
    for (Kind kind : {Kind::none, Kind::tuple, Kind::boolean, Kind::boolean}) add({.kind = kind});
    pickle_.values[kTrue].integer = 1;
  }

  Pickle run() {
    while (!stopped_) step();
    return std::move(pickle_);
  }

 private:
  enum : PickleId { kNone, kEmptyTuple, kFalse, kTrue };
  struct Opcode {
    std::uint8_t code;
    std::string_view name;
    void (Machine::*run)();  // null: refused
  };
  static const std::array<Opcode, 48> kOpcodes;

  void step() {
    at_ = in_.offset();
    const std::uint8_t code = in_.u8();
    const auto* row = std::find_if(kOpcodes.begin(), kOpcodes.end(),
                                   [code](const Opcode& one) { return one.code == code; });
    if (row == kOpcodes.end()) fail("0x{:02x} is no opcode", code);
    if (row->run == nullptr) refuse("opcode {} is none that a checkpoint needs", row->name);
    (this->*row->run)();
    in_.reading("pickle");
  }

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
    sb3lm::fail(Fault::bad_input, "{}: byte {}: {}", in_.file(), at_,
                fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
    sb3lm::fail(Fault::unsupported, "{}: byte {}: {}", in_.file(), at_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  // Values and the stack.

  PickleId add(PickleValue value) {
    if (pickle_.values.size() >= kMaxValues) fail("it makes more than {} values", kMaxValues);
    pickle_.values.push_back(std::move(value));
    return static_cast<PickleId>(pickle_.values.size() - 1);
  }
  PickleValue& at(PickleId id) { return pickle_.values[id]; }
  void push(PickleId id) { stack_.push_back(id); }
  void push_new(PickleValue value) { push(add(std::move(value))); }

  /// How much of the stack is above the last mark.
  std::size_t open() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  PickleId top() {
    if (open() == 0) fail("nothing is on the stack");
    return stack_.back();
  }
  PickleId pop() {
    const PickleId id = top();
    stack_.pop_back();
    return id;
  }
  std::vector<PickleId> pop_some(std::size_t count) {
    if (open() < count) fail("{} values are needed, {} are on the stack", count, open());
    const auto from = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<PickleId> items(from, stack_.end());
    stack_.erase(from, stack_.end());
    return items;
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("there is no mark on the stack");
    std::vector<PickleId> items = pop_some(open());
    marks_.pop_back();
    return items;
  }
  PickleValue& top_of_kind(Kind kind) {
    PickleValue& value = at(top());
    if (value.kind != kind) {
      fail("{} stands where {} is needed", kind_name(value.kind), kind_name(kind));
    }
    return value;
  }

  // Opcodes.

  void proto() {
    const std::uint8_t version = in_.u8();
    if (version != 2) {
      refuse("pickle protocol {}; save with torch.save's own protocol, 2", version);
    }
  }
  void stop() {
    pickle_.root = pop();
    stopped_ = true;
  }
  void mark() { marks_.push_back(stack_.size()); }
  void none() { push(kNone); }
  void new_false() { push(kFalse); }
  void new_true() { push(kTrue); }
  void integer(std::int64_t value) { push_new({.kind = Kind::integer, .integer = value}); }
  void bin_int() { integer(in_.i32()); }
  void bin_int1() { integer(in_.u8()); }
  void bin_int2() { integer(in_.u16()); }
  void long1() {
    const Bytes bytes = in_.take(in_.u8());
    if (bytes.size() > 8) refuse("a number of {} bytes is too large", bytes.size());
    std::uint64_t value = !bytes.empty() && bytes.back() >= 128 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    integer(static_cast<std::int64_t>(value));
  }
  void bin_float() {  // big-endian, unlike all else
    const Bytes bytes = in_.take(8);
    std::uint64_t bits = 0;
    for (const std::uint8_t byte : bytes) bits = bits << 8 | byte;
    push_new({.kind = Kind::real, .real = std::bit_cast<double>(bits)});
  }
  void bin_unicode() {
    const std::string_view text = as_text(in_.take(in_.u32()));
    if (invalid_byte(text) != text.npos) fail("a text is not UTF-8");
    push_new({.kind = Kind::text, .text = text});
  }
  void empty_dict() { push_new({.kind = Kind::dict}); }
  void empty_list() { push_new({.kind = Kind::list}); }
  void empty_tuple() { push(kEmptyTuple); }
  void tuple_of(std::vector<PickleId> items) {
    push_new({.kind = Kind::tuple, .items = std::move(items)});
  }
  void tuple1() { tuple_of(pop_some(1)); }
  void tuple2() { tuple_of(pop_some(2)); }
  void tuple3() { tuple_of(pop_some(3)); }
  void tuple() { tuple_of(pop_to_mark()); }

  void put(std::uint32_t index) {
    if (memo_.size() >= kMaxValues) fail("it remembers more than {} values", kMaxValues);
    memo_[index] = top();
  }
  void bin_put() { put(in_.u8()); }
  void long_bin_put() { put(in_.u32()); }
  void get(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("memo {} is empty", index);
    push(found->second);
  }
  void bin_get() { get(in_.u8()); }
  void long_bin_get() { get(in_.u32()); }

  void append_all(Kind kind, const std::vector<PickleId>& items) {
    std::vector<PickleId>& to = top_of_kind(kind).items;
    if (kind == Kind::dict && items.size() % 2 != 0) fail("a dict's key has no value");
    to.insert(to.end(), items.begin(), items.end());
  }
  void append() { append_all(Kind::list, pop_some(1)); }
  void appends() { append_all(Kind::list, pop_to_mark()); }
  void set_item() { append_all(Kind::dict, pop_some(2)); }
  void set_items() { append_all(Kind::dict, pop_to_mark()); }

  // Globals and what is made with them.

  std::string_view line() {
    const std::size_t from = in_.offset();
    while (in_.u8() != '\n') {
    }
    const std::size_t to = in_.offset();
    in_.seek(from);
    return as_text(in_.take(to - from)).substr(0, to - from - 1);
  }

  void global() {
    const std::string_view module = line(), name = line();
    const std::string_view both(module.data(), module.size() + 1 + name.size());
    const bool printable = std::all_of(both.begin(), both.end(),
                                       [](char c) { return c == '\n' || (c > 32 && c < 127); });
    if (!printable || module.empty() || name.empty()) fail("a global without a name");
    for (std::size_t row = 0; row < kGlobals.size(); ++row) {
      if (kGlobals[row].name != spaced(both)) continue;
      if (kGlobals[row].known == Known::type) {
        push_new({.kind = Kind::text, .text = kGlobals[row].type});
      } else {
        push_new({.kind = Kind::function, .integer = static_cast<std::int64_t>(row)});
      }
      return;
    }
    if (module == "torch" || module.starts_with("torch.")) {
      refuse("global '{}' is not read; save state_dict(), a dict of dense tensors", spaced(both));
    }
    if (!class_.empty() && class_ != both) {
      refuse(
          "global '{}' beside '{}': one class that is not PyTorch's own is read, as a "
          "configuration; save state_dict() and a dict",
          spaced(both), spaced(class_));
    }
    class_ = both;
    push_new({.kind = Kind::global, .text = both});
  }

  static std::string spaced(std::string_view global) {
    std::string text(global);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  const KnownGlobal* known(PickleId id, Known what) {
    const PickleValue& value = at(id);
    if (value.kind != Kind::function) return nullptr;
    const KnownGlobal& row = kGlobals[static_cast<std::size_t>(value.integer)];
    return row.known == what ? &row : nullptr;
  }

  void new_object() { make_object(pop_some(2)); }
  /// A class and its arguments.
  void make_object(const std::vector<PickleId>& parts) {
    const PickleValue &of = at(parts[0]), &with = at(parts[1]);
    if (of.kind != Kind::global) fail("{} is no class", kind_name(of.kind));
    if (with.kind != Kind::tuple || !with.items.empty()) {
      refuse(
          "global '{}' is called with arguments, and nothing is called here; save state_dict() and "
          "a dict",
          spaced(of.text));
    }
    push_new({.kind = Kind::record, .text = of.text});
  }

  void reduce() {
    const std::vector<PickleId> parts = pop_some(2);
    if (at(parts[0]).kind == Kind::global) return make_object(parts);
    if (at(parts[0]).kind != Kind::function || at(parts[1]).kind != Kind::tuple) {
      fail("{} is called with {}", kind_name(at(parts[0]).kind), kind_name(at(parts[1]).kind));
    }
    const std::vector<PickleId> arguments = at(parts[1]).items;
    if (known(parts[0], Known::tensor) != nullptr) {
      rebuild_tensor(arguments);
    } else if (known(parts[0], Known::parameter) != nullptr) {
      if (arguments.size() != 3 || at(arguments[0]).kind != Kind::tensor) {
        fail("_rebuild_parameter without a tensor");
      }
      push(arguments[0]);
    } else if (known(parts[0], Known::ordered_dict) != nullptr) {
      if (!arguments.empty()) refuse("OrderedDict is called with arguments");
      empty_dict();
    } else {
      fail("a storage is called");
    }
  }

  /// (storage, first element, extents, strides, requires_grad, hooks[, metadata])
  void rebuild_tensor(const std::vector<PickleId>& arguments) {
    constexpr std::array kKinds{Kind::storage, Kind::integer, Kind::tuple, Kind::tuple};
    bool fits = arguments.size() == 6 || arguments.size() == 7;
    for (std::size_t i = 0; fits && i < kKinds.size(); ++i) {
      fits = at(arguments[i]).kind == kKinds[i];
    }
    if (!fits) fail("_rebuild_tensor_v2 is called with something else than a storage and extents");
    push_new({.kind = Kind::tensor,
              .integer = at(arguments[1]).integer,
              .items = {arguments[0], arguments[2], arguments[3]}});
  }

  /// ("storage", class, key, device, elements)
  void persistent_id() {
    const std::vector<PickleId> parts = at(pop_tuple()).items;
    const bool fits = parts.size() == 5 && at(parts[0]).text == "storage" &&
                      at(parts[2]).kind == Kind::text && at(parts[4]).kind == Kind::integer;
    const KnownGlobal* row = fits ? known(parts[1], Known::storage) : nullptr;
    if (row == nullptr) fail("a persistent id that is no storage");
    push_new({.kind = Kind::storage,
              .integer = at(parts[4]).integer,
              .text = at(parts[2]).text,
              .type = row->type});
  }
  PickleId pop_tuple() {
    top_of_kind(Kind::tuple);
    return pop();
  }

  /// Fields of a record; those of a dict are attributes that nothing here needs.
  void build() {
    const PickleId state = pop();
    PickleValue& to = at(top());
    if (to.kind == Kind::dict) return;
    if (to.kind != Kind::record) fail("{} has no fields", kind_name(to.kind));
    if (at(state).kind != Kind::dict) {
      refuse("an object of '{}' holds {} and not a dict of fields", spaced(to.text),
             kind_name(at(state).kind));
    }
    to.items = {state};
  }

  Reader in_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;          // sizes of the stack
  std::map<std::uint32_t, PickleId> memo_;  // sorted: whoever writes a file can choose bad hashes
  std::string_view class_;                  // the one global that is not known
  std::size_t at_ = 0;                      // where the opcode stands
  bool stopped_ = false;
};

const std::array<Machine::Opcode, 48> Machine::kOpcodes{{
    {0x80, "PROTO", &Machine::proto},
    {'.', "STOP", &Machine::stop},
    {'(', "MARK", &Machine::mark},
    {'q', "BINPUT", &Machine::bin_put},
    {'h', "BINGET", &Machine::bin_get},
    {'r', "LONG_BINPUT", &Machine::long_bin_put},
    {'j', "LONG_BINGET", &Machine::long_bin_get},
    {'X', "BINUNICODE", &Machine::bin_unicode},
    {'K', "BININT1", &Machine::bin_int1},
    {'M', "BININT2", &Machine::bin_int2},
    {'J', "BININT", &Machine::bin_int},
    {0x8a, "LONG1", &Machine::long1},
    {'G', "BINFLOAT", &Machine::bin_float},
    {'N', "NONE", &Machine::none},
    {0x88, "NEWTRUE", &Machine::new_true},
    {0x89, "NEWFALSE", &Machine::new_false},
    {')', "EMPTY_TUPLE", &Machine::empty_tuple},
    {0x85, "TUPLE1", &Machine::tuple1},
    {0x86, "TUPLE2", &Machine::tuple2},
    {0x87, "TUPLE3", &Machine::tuple3},
    {'t', "TUPLE", &Machine::tuple},
    {']', "EMPTY_LIST", &Machine::empty_list},
    {'a', "APPEND", &Machine::append},
    {'e', "APPENDS", &Machine::appends},
    {'}', "EMPTY_DICT", &Machine::empty_dict},
    {'s', "SETITEM", &Machine::set_item},
    {'u', "SETITEMS", &Machine::set_items},
    {'c', "GLOBAL", &Machine::global},
    {'R', "REDUCE", &Machine::reduce},
    {0x81, "NEWOBJ", &Machine::new_object},
    {'b', "BUILD", &Machine::build},
    {'Q', "BINPERSID", &Machine::persistent_id},
    // Of these only the names are known.
    {'i', "INST", nullptr},
    {'o', "OBJ", nullptr},
    {'P', "PERSID", nullptr},
    {'0', "POP", nullptr},
    {'2', "DUP", nullptr},
    {'I', "INT", nullptr},
    {'F', "FLOAT", nullptr},
    {'S', "STRING", nullptr},
    {'U', "SHORT_BINSTRING", nullptr},
    {'V', "UNICODE", nullptr},
    {0x82, "EXT1", nullptr},
    {0x8b, "LONG4", nullptr},
    {0x8c, "SHORT_BINUNICODE", nullptr},
    {0x93, "STACK_GLOBAL", nullptr},
    {0x94, "MEMOIZE", nullptr},
    {0x95, "FRAME", nullptr},
}};

}  // namespace

std::optional<PickleId> Pickle::find(PickleId dict, std::string_view key) const {
  std::optional<PickleId> found;
  const std::vector<PickleId>& items = values[dict].items;
  if (values[dict].kind != Kind::dict) return found;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const PickleValue& name = values[items[i]];
    if (name.kind == Kind::text && name.text == key) found = items[i + 1];
  }
  return found;
}

std::string_view kind_name(PickleValue::Kind kind) {
  constexpr std::array<std::string_view, 13> kNames{
      "None",   "a boolean", "a number",  "a number",  "a text",   "a tuple",   "a list",
      "a dict", "a class",   "an object", "a storage", "a tensor", "a function"};
  return kNames[static_cast<std::size_t>(kind)];
}

Pickle read_pickle(const std::string& file, Bytes bytes) {
  return Machine(file, bytes).run();
}

}  // namespace sb3lm
