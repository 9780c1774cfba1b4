// The families, each in its file; family.h says what one is.
#pragma once

#include "import/family.h"

namespace sb3lm {

const Family& ssmoelm_family();
const Family& llama_family();
const Family& llama2c_family();
const Family& golf_family();
const Family& shard_family();
const Family& mixture_family();
const Family& gpt2_family();
const Family& gpt_neo_family();
const Family& gpt_neox_family();
const Family& gemma_family();
const Family& gemma2_family();
const Family& gemma3_family();
const Family& phi_family();
const Family& opt_family();

}  // namespace sb3lm
