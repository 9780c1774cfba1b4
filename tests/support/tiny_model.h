// Small models for tests, made by the synthesiser and read by the importer, all in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/model.h"
#include "synth/synth.h"

namespace sb3lm {

/// The preset as an imported model, tokenizer and chat template included.
Model tiny_model(const std::string& preset, std::uint64_t seed = 1);

/// The same with other options, and with conventions as --convention sets them.
Model tiny_model(const SynthOptions& options,
                 const std::map<std::string, std::string>& conventions = {});

/// Imports synthetic files that a test may have changed.
Model import_files(const SyntheticFiles& files,
                   const std::map<std::string, std::string>& conventions = {});

}  // namespace sb3lm
