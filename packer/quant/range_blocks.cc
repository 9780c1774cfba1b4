#include "quant/range_blocks.h"

#include "quant/range_coder.h"
#include "quant/row_decoder.h"
#include "scratch/letter_costumes.h"

namespace sb3lm {

using namespace blocks;

namespace {

class RangeEmitter {
 public:
  RangeEmitter(Sprite& engine, const DecodeLists& lists, std::string name)
      : engine_(engine),
        lists_(lists),
        name_(std::move(name)),
        digits_(engine.list<Num>("_" + name_ + " digits", digit_items())),
        codes_(list("codes")),
        weights_(list("weights")),
        shares_(list("shares")),
        sums_(list("sums")),
        sizes_(list("slot sizes")),
        places_(list("slot places")),
        values_(list("slot values")),
        codebook_(var("codebook")),
        item_(var("item")),
        letter_(var("letter")),
        state_(var("state")),
        most_(var("most")),
        slots_(var("slots")),
        slot_(var("slot")),
        acc_(var("acc")),
        to_(var("to")),
        base_(var("base")),
        times_(var("times")),
        symbols_(var("symbols")) {}

  RangeBlocks emit() {
    const auto read = engine_.define<>(name_ + " letter", {}, [&](Script& s) { read_letter(s); });
    const auto fill = engine_.define<>(name_ + " fill", {}, [&](Script& s) { fill_state(s); });
    const auto begin = engine_.define<>(name_ + " begin", {}, [&](Script& s) {
      s.set(state_, 0);
      s.call(fill);
    });
    const auto next = engine_.define<>(name_ + " next", {}, [&](Script& s) {
      s.set(slot_, mod(state_, slots_) + 1);
      s.set(state_, sizes_[slot_] * floor(state_ / slots_) + places_[slot_]);
      s.set(acc_, acc_ * times_ + values_[slot_]);
      fill_state(s);
    });
    const auto forget = engine_.define<>(name_ + " forget", {}, [&](Script& s) {
      s.set(codebook_, 0);
      for (const auto* emptied :
           {&codes_, &weights_, &shares_, &sums_, &sizes_, &places_, &values_}) {
        s.clear(*emptied);
      }
    });
    const auto open = emit_open(emit_make(read), forget);
    return {open, forget, begin, next, fill, emit_row(next), letter_, state_, acc_, to_};
  }

 private:
  Var<Num> var(const char* what) { return engine_.var<Num>("_" + name_ + " " + what); }
  List<Num> list(const char* what) { return engine_.list<Num>("_" + name_ + " " + what); }

  // The value of each costume's letter, 0 for costumes that are none.
  std::vector<scratch::Scalar> digit_items() {
    std::vector<scratch::Scalar> items;
    for (int value = 0; value < kRangeLetters; ++value) {
      const int number = letter_costume(engine_, std::string(1, range_letter(value)));
      items.resize(std::max(items.size(), static_cast<std::size_t>(number)), 0.0);
      items[static_cast<std::size_t>(number) - 1] = static_cast<double>(value);
    }
    return items;
  }

  void read_letter(Script& s) {
    s.switch_costume(letter(letter_ + 0, lists_.text[item_ + 0]));
    s.set(state_, state_ * kRangeLetters + digits_[costume_number()]);
    s.change(letter_, 1);
  }

  void fill_state(Script& s) {
    s.repeat_until(state_ > most_, [&](Script& s) { read_letter(s); });
  }

  Proc<Num, Num, Num> emit_open(const Proc<Num, Num>& make, const Proc<>& forget) {
    return engine_.define<Num, Num, Num>(
        name_ + " open", {"item", "codes", "field"},
        [&](Script& s, Arg<Num> item, Arg<Num> codes, Arg<Num> field) {
          s.when(!(codebook_ == item), [&](Script& s) {
            s.call(forget);
            s.set(codebook_, item + 0);
            s.set(item_, item - 1);
            s.set(letter_, 1);
            s.call(make, codes, field);
            s.set(item_, item + 0);
            s.set(letter_, 1);
          });
        });
  }

  // The tables of the codebook at `item_`; they are empty before.
  Proc<Num, Num> emit_make(const Proc<>& read) {
    const auto total = var("total"), code = var("code"), rest = var("rest");
    return engine_.define<Num, Num>(
        name_ + " tables", {"codes", "field"}, [&](Script& s, Arg<Num> codes, Arg<Num> field) {
          const auto read_number = [&](Script& s) {
            s.set(state_, 0);
            s.repeat(2, [&](Script& s) { s.call(read); });
          };
          read_number(s);
          s.set(code, state_);
          s.set(total, 0);
          s.repeat(length(lists_.text[item_ + 0]) / 2 - 1, [&](Script& s) {
            read_number(s);
            s.append(weights_, state_ + 0);
            s.change(total, state_);
            // The code's bits, `field` times as far apart.
            s.set(rest, code);
            s.set(base_, 1);
            s.set(acc_, 0);
            s.repeat_until(rest == 0, [&](Script& s) {
              s.change(acc_, mod(rest, 2) * base_);
              s.set(rest, floor(rest / 2));
              s.set(base_, base_ * field);
            });
            s.append(codes_, acc_ + 0);
            s.change(code, 1);
          });
          s.append(shares_, 1);
          s.append(sums_, 0);
          s.set(times_, 1);
          s.set(symbols_, 8 / codes);
          s.repeat(codes, [&](Script& s) {
            s.set(times_, times_ * 2);
            longer_symbols(s, total, code);
          });
          s.set(slots_, range_slots(1));
          s.when(codes == 2, [&](Script& s) { s.set(slots_, range_slots(2)); });
          share_slots(s, rest);
          s.set(slots_, sizes_.length());
          s.set(most_, slots_ * static_cast<double>(kRangeStates) - 1);
        });
  }

  // Every symbol so far, followed by every code.
  void longer_symbols(Script& s, const Var<Num>& total, const Var<Num>& code) {
    s.repeat(shares_.length(), [&](Script& s) {
      s.set(code, 1);
      s.repeat(weights_.length(), [&](Script& s) {
        s.append(shares_, shares_[1] * weights_[code + 0] / total);
        s.append(sums_, sums_[1] * 2 + codes_[code + 0]);
        s.change(code, 1);
      });
      s.erase(shares_, 1);
      s.erase(sums_, 1);
    });
  }

  void share_slots(Script& s, const Var<Num>& size) {
    s.set(slot_, 1);
    s.repeat(shares_.length(), [&](Script& s) {
      s.when(shares_[slot_ + 0] > 0, [&](Script& s) {
        s.set(size, floor(shares_[slot_ + 0] * slots_ + 0.5));
        s.when(size == 0, [&](Script& s) { s.set(size, 1); });
        s.set(base_, 0);
        s.repeat(size, [&](Script& s) {
          s.append(sizes_, size + 0);
          s.append(places_, base_ + 0);
          s.append(values_, sums_[slot_ + 0] + 0);
          s.change(base_, 1);
        });
      });
      s.change(slot_, 1);
    });
  }

  Proc<Num, Num, Num> emit_row(const Proc<>& next) {
    const auto place = var("place"), rest = var("bytes");
    return engine_.define<Num, Num, Num>(
        name_ + " row", {"groups", "planes", "stride"},
        [&](Script& s, Arg<Num> groups, Arg<Num> planes, Arg<Num> stride) {
          s.set(base_, 1);
          s.repeat(groups, [&](Script& s) {
            s.set(acc_, 0);
            s.repeat(symbols_, [&](Script& s) { s.call(next); });
            s.set(place, to_ + (planes - 1) * stride);
            s.repeat(planes, [&](Script& s) {
              s.set(rest, floor(acc_ / 256));
              s.replace(lists_.codes, place + 0, small_integer(acc_ - rest * 256) + base_);
              s.set(acc_, rest + 0);
              s.set(place, place - stride);
            });
            s.change(to_, 1);
            s.change(base_, 256);
          });
        });
  }

  Sprite& engine_;
  const DecodeLists& lists_;
  std::string name_;
  List<Num> digits_, codes_, weights_, shares_, sums_;  // codebook and symbols
  List<Num> sizes_, places_, values_;                   // by slot
  Var<Num> codebook_, item_, letter_, state_, most_, slots_, slot_, acc_, to_, base_, times_,
      symbols_;
};

}  // namespace

RangeBlocks emit_range(Sprite& engine, const DecodeLists& lists, const std::string& name) {
  return RangeEmitter(engine, lists, name).emit();
}

}  // namespace sb3lm
