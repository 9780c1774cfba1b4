// The engine sprite's scripts: what the broadcasts of README.md, "Names inside the .sb3" do.
#pragma once

#include <optional>

#include "kernels/kernels.h"
#include "kernels/text.h"
#include "lower/forward.h"
#include "lower/loader.h"
#include "lower/stage.h"

namespace sb3lm {

struct TextBlocks {
  std::optional<TokenTableBlocks> tables;
  TokenizeBlocks tokenize;
  DetokenizeBlocks detokenize;
  blocks::Var<blocks::Str> text;  // of the reply so far
};

struct ScriptParts {
  const Workspace& workspace;
  const StageNames& stage;
  const LoaderBlocks& loader;
  const blocks::Proc<>& warm_up;
  const ForwardBlocks& forward;
  const SampleBlocks& sample;
  const ExpBlocks& exp;
  const std::optional<TextBlocks>& text;  // without a tokenizer there is no `chat`
  const Model& model;
  const Layout& layout;
};

void emit_scripts(blocks::Sprite& engine, const ScriptParts& parts);

}  // namespace sb3lm
