"""Shapes and hyperparameters. A preset is one `Config`; `with_settings` changes it for a trial."""
from dataclasses import dataclass, fields, replace

BOS, EOS, PAD, SYSTEM, USER, ASSISTANT, EOT = range(7)
SPECIAL_NAMES = ("<bos>", "<eos>", "<pad>", "<|system|>", "<|user|>", "<|assistant|>", "<|eot|>")


@dataclass(frozen=True)
class Config:
    """One model and how it is trained. Layers are stored once and run in `pass_order`."""

    width: int
    heads: int
    kv_heads: int
    hidden: int             # of each routed expert
    shared_hidden: int
    vocabulary: int
    headwords: int          # words that questions are asked about
    step_tokens: int        # tokens of one optimiser step
    micro_tokens: int       # tokens of one forward and backward pass
    window: int = 128       # tokens of a training sequence: running text and questions
    chat_window: int = 256  # the same in the last phase: conversations
    head_size: int = 64
    experts: int = 8
    top_k: int = 2
    layer_ids: tuple[int, ...] = (0, 1, 2, 3, 5)
    pass_order: tuple[int, ...] = (0, 1, 2, 3, 3, 5)
    norm_eps: float = 1e-5
    rope_base: float = 10000.0
    context: int = 256
    chat_share: float = 0.3     # the last part of the time has loss on answers only
    muon_lr: float = 0.02       # matrices
    adam_lr: float = 0.004      # embedding, norms, routers
    balance: float = 0.01       # weight of the load-balancing loss
    clip: float = 1.0
    seed: int = 1
    attend_steps: int = 800     # after so many, words that are not known yet are asked about more
    texts: float = 0.1          # share of running text at the beginning
    asking: float = 0.1         # weight of the loss on questions, until the last part
    # What questions ask for, by weight.
    tasks: tuple[tuple[str, float], ...] = (
        ("definitions", 0.33), ("synonyms", 0.07), ("opposites", 0.05), ("kinds", 0.05),
        ("yes/no", 0.08), ("sentences", 0.11), ("unknown", 0.25), ("small talk", 0.06))
    small_state: bool = False   # keep 8-bit masters for resuming, and no optimiser

    def bits(self, name: str) -> int:
        """Bits per weight of a parameter in the packed file, 16 for those that stay floats."""
        if name == "embed":
            return 3
        part = name.split(".")[-1]
        if "norm" in part or part == "router":
            return 16
        if ".experts." in name:
            return 1
        if part in ("v", "o"):
            ends = (self.layer_ids[0], self.layer_ids[-1])
            return 4 if int(name.split(".")[1]) in ends else 1
        return 4

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every parameter's shape, rows first; routed experts are stacked in front."""
        d, q, kv = self.width, self.heads * self.head_size, self.kv_heads * self.head_size
        shapes: dict[str, tuple[int, ...]] = {"embed": (self.vocabulary, d), "final_norm": (d,)}
        for layer in self.layer_ids:
            at = f"layers.{layer}."
            shapes |= {at + "attn_norm": (d,), at + "q": (q, d), at + "k": (kv, d),
                       at + "v": (kv, d), at + "o": (d, q), at + "ffn_norm": (d,),
                       at + "router": (self.experts, d)}
            for part, lead, h in (("experts", (self.experts,), self.hidden),
                                  ("shared", (), self.shared_hidden)):
                shapes |= {f"{at}{part}.gate": (*lead, h, d), f"{at}{part}.up": (*lead, h, d),
                           f"{at}{part}.down": (*lead, d, h)}
        return shapes


PRESETS = {
    "toy": Config(width=64, heads=1, kv_heads=1, hidden=32, shared_hidden=32, vocabulary=512,
                  headwords=1200, step_tokens=1024, micro_tokens=1024),
    "cpu": Config(width=256, heads=4, kv_heads=2, hidden=128, shared_hidden=128, vocabulary=3072,
                  headwords=5000, step_tokens=4096, micro_tokens=4096),
    # The shape of SSMoELM-it-5L: 40,244,736 weights and the final norm.
    "full": Config(width=768, heads=12, kv_heads=3, hidden=256, shared_hidden=256,
                   vocabulary=8192, headwords=40000, step_tokens=131072, micro_tokens=32768,
                   window=512, chat_window=512, context=512, small_state=True),
}


def with_settings(config: Config, settings: list[str]) -> Config:
    """The config with fields set by NAME=VALUE; `tasks` and tuples take commas."""
    names = [field.name for field in fields(Config)]
    for setting in settings:
        name, equals, text = setting.partition("=")
        if name not in names or not equals:
            raise ValueError(f"{setting}: NAME=VALUE, and NAME is one of {', '.join(names)}")
        old = getattr(config, name)
        if name == "tasks":
            value = tuple((task, float(weight)) for task, weight in
                          (part.split(":") for part in text.split(",")))
            unknown = {task for task, _ in value} - {task for task, _ in old}
            if unknown:
                raise ValueError(f"{setting}: {', '.join(sorted(unknown))}: no task")
        elif isinstance(old, tuple):
            value = tuple(int(part) for part in text.split(","))
        elif isinstance(old, bool):
            value = {"true": True, "false": False}[text]
        else:
            value = type(old)(text)
        config = replace(config, **{name: value})
    return config
