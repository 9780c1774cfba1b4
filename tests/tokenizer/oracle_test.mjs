// Our tokenizer against @huggingface/tokenizers, the oracle for tokenizer.json: the same ids for
// tricky texts, and the same text back. Arguments: the program tokenize_tool, and files of the kind
// tokenizer.json that are looked at besides (as npm packages have them).
// Exits with 77 (a skip) when tools/setup has not installed the package.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const tool = process.argv[2];
const packageUrl = new URL(
  "../../tools/node_modules/@huggingface/tokenizers/dist/tokenizers.mjs", import.meta.url);

let Tokenizer;
try {
  ({ Tokenizer } = await import(packageUrl));
} catch {
  console.log("skipped: tools/node_modules is missing; run tools/setup");
  process.exit(77);
}

const texts = [
  "", " ", "  ", "   ", "a", " a", "a ", "  a  b   c  ", "Hello", "Hello world", "Hello, world!",
  "The quick brown fox jumps over the lazy dog.", "the and to of in is it you that he was for",
  "once upon a time there was a little girl", "don't can't we'll I'm you've he'd they're it's",
  "DON'T CAN'T", "'s", "''s' 't", "a'sb", "\n", "\n\n", "a\nb", "a \n b", " \n", "\n a", "\t",
  "a\tb", "tab\t\ttab ", "\r\n", "line one\nline two\n\n  line three  \n", "0", "1234567890",
  "3.14159", "x1y22z333", "1 2  3", "2+2=4", "naïve café", "É", "ß", "Straße", "日本語", "中文 字",
  "Привет мир", "שלום", "مرحبا", "한국어", "🙂", "a🙂b", "👨‍👩‍👧", "🇩🇪", "é", "①²½", "٣", "Ⅷ",
  "…—–“”‘’", "$€£¥", "<bos", "<0x41>", "!!!???...", "a.b,c;d:e", "(x) [y] {z}", "\\\"'`~^",
  "http://example.org/a?b=c&d=e#f", "CamelCaseWords and snake_case_words", "   leading",
  "trailing   ", " space", "a  b", " x", "　x　", "​zero width", "\u0000a\u0001",
  "model model token tokens story stories friends friendly", "banana banbar sanpol thirtom",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "thethethe the the  the",
  "a<think>b <think> story stories", "1 12 123 1234 12345", "a\r\n\n  b!\n\n c", "cafe\u0301 e\u0323\u0301",
];

const hex = (text) => Buffer.from(text, "utf8").toString("hex");
const run = (args, input) =>
  execFileSync(tool, args, { input, encoding: "utf8", maxBuffer: 1 << 26 });

/// Variants of one file: what else models put into it.
function variants(kind, json) {
  const change = (name, edit) => {
    const copy = structuredClone(json);
    edit(copy);
    return { name: `${kind} ${name}`, json: copy };
  };
  const cutBy = (t, digits) => {
    const bytes = { ...t.pre_tokenizer, use_regex: false };
    const words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits +
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    t.pre_tokenizer = { type: "Sequence", pretokenizers: [
      { type: "Split", pattern: { Regex: words }, behavior: "Isolated", invert: false }, bytes] };
  };
  const pairs = (t) => { t.model.merges = t.model.merges.map((merge) => merge.split(" ")); };
  if (kind === "byte-level") {
    return [
      change("as it is", () => {}),
      change("with merges as pairs", pairs),
      change("with a space in front", (t) => { t.pre_tokenizer.add_prefix_space = true; }),
      change("with digits", (t) => {
        t.pre_tokenizer = { type: "Sequence", pretokenizers: [
          { type: "Digits", individual_digits: true }, t.pre_tokenizer] };
      }),
      change("cut as Llama 3 does", (t) => cutBy(t, "\\p{N}{1,3}")),
      change("cut as Qwen2 does", (t) => {
        cutBy(t, "\\p{N}");
        t.normalizer = { type: "NFC" };
      }),
      change("with added tokens", (t) => {
        const first = Object.keys(t.model.vocab).length;
        ["<think>", "  ", "story"].forEach((content, i) => t.added_tokens.push({
          id: first + i, content, special: false, normalized: false, lstrip: false, rstrip: false,
          single_word: false }));
      }),
      change("with pieces as they are", (t) => {
        t.model.ignore_merges = true;
        t.model.vocab["banbar"] = Object.keys(t.model.vocab).length;
      }),
    ];
  }
  return [
    change("as it is", () => {}),
    change("with merges as pairs", pairs),
    change("without splitting", (t) => { t.pre_tokenizer.split = false; }),
    change("without a space in front", (t) => {
      t.pre_tokenizer.prepend_scheme = "never";
      t.decoder.decoders.pop();
    }),
    change("with a space at the start", (t) => { t.pre_tokenizer.prepend_scheme = "first"; }),
    change("with normalizers", (t) => {
      t.pre_tokenizer = null;
      t.normalizer = { type: "Sequence", normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" }] };
    }),
    change("without bos", (t) => { t.post_processor = null; }),
  ];
}

let failures = 0;
function report(name, text, what, ours, theirs) {
  if (++failures <= 20) {
    console.log(`${name}: ${JSON.stringify(text)}: ${what}\n  ours   ${ours}\n  theirs ${theirs}`);
  }
}

function compare({ name, json }, folder) {
  const path = join(folder, "tokenizer.json");
  writeFileSync(path, JSON.stringify(json));
  const oracle = new Tokenizer(json, {});
  const lines = run([path], texts.map((text) => hex(text) + "\n").join("")).split("\n");
  texts.forEach((text, i) => {
    const [ids, decoded] = lines[i].split("|");
    const theirs = oracle.encode(text).ids;
    if (ids !== theirs.join(" ")) report(name, text, "ids", ids, theirs.join(" "));
    if (theirs.length === 0) return;
    const back = oracle.decode(theirs, { skip_special_tokens: true,
                                         clean_up_tokenization_spaces: false });
    const ourText = Buffer.from(decoded, "hex").toString("utf8");
    if (ourText !== back) report(name, text, "text", JSON.stringify(ourText), JSON.stringify(back));
  });
}

const folder = mkdtempSync(join(tmpdir(), "sb3lm-tokenizer-"));
let count = 0;
try {
  for (const [kind, size] of [["spaced", 512], ["spaced", 8192], ["byte-level", 512],
                              ["byte-level", 8192]]) {
    const json = JSON.parse(run(["--make", kind, String(size)]));
    for (const variant of variants(kind, json)) {
      compare(variant, folder);
      ++count;
    }
  }
  for (const path of process.argv.slice(3)) {
    compare({ name: path, json: JSON.parse(readFileSync(path, "utf8")) }, folder);
    ++count;
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${count} tokenizers, ${texts.length} texts each: ${failures} differences`);
process.exit(failures === 0 ? 0 : 1);
