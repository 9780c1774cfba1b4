// The page of tools/web with a full-scale model, in Chromium, beside the native program: seconds until
// it can be used, tokens a second, seconds and memory of a build with its proof.
//   web_page.mjs PATH_OF_SB3LM CHECKPOINT CONTEXT
// Prints JSON.

import {spawnSync} from 'node:child_process';
import {readFileSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {brotliCompressSync} from 'node:zlib';

import {withFolder} from '../e2e/support.mjs';
import {kOnePage, kOut, requirePage, sha256, WebPage} from '../web/support.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';

const kTitle = 'Measured';
const kQuestion = 'Tell me a story';

const secondsSince = (start) => (performance.now() - start) / 1000;

function native(binary, ...words) {
  const start = performance.now();
  const {status, stdout, stderr} = spawnSync(binary, ['-q', ...words], {encoding: 'utf8'});
  if (status !== 0) throw new Error(`sb3lm ${words.join(' ')}: exit ${status}: ${stderr}`);
  return {seconds: secondsSince(start), stdout};
}

// Once to warm up: the browser compiles what is used often a second time.
async function tokensPerSecond(page) {
  for (let i = 0; i < 2; ++i) {
    await page.element('new-chat').click();
    await page.ask(kQuestion);
  }
  const [, speed] = /tokens, ([\d,]+) a second/.exec(await page.text('speed'));
  return Number(speed.replaceAll(',', ''));
}

async function measure(chromium, binary, checkpoint, context, folder) {
  const page = await WebPage.open(chromium, pathToFileURL(kOnePage).href, {offline: true});
  await page.whenOpen('Dictionary cat');
  const usable = await page.page.evaluate(() => performance.now() / 1000);  // since it was asked for
  const opening = performance.now();
  await page.give(['model.safetensors', 'tokenizer.json'].map((name) => join(dirname(checkpoint), name)));
  await page.whenOpen('model');
  const figures = {usable_seconds: usable, open_seconds: secondsSince(opening),
    tokens_per_second: await tokensPerSecond(page)};

  const building = performance.now();
  const bytes = await page.build({title: kTitle, context: String(context)});
  figures.build_seconds = secondsSince(building);
  const [, megabytes] = /with ([\d.,]+) MB of memory/.exec(await page.text('facts'));
  figures.build_bytes = 1e6 * Number(megabytes.replaceAll(',', ''));
  const out = join(folder, 'native.sb3');
  figures.native_build_seconds =
    native(binary, 'build', checkpoint, '-o', out, '--title', kTitle, '--context', String(context)).seconds;
  figures.same = sha256(bytes) === sha256(readFileSync(out));
  const {stdout} = native(binary, 'run', checkpoint, '--prompt', kQuestion, '--threads', '1', '--json');
  figures.native_tokens_per_second = JSON.parse(stdout).tokens_per_second;
  await page.close();
  return figures;
}

await withFolder(async (folder) => {
  requirePage();
  const [binary, checkpoint, context] = process.argv.slice(2);
  const module = join(kOut, 'sb3lm_page.wasm');
  const chromium = await launchChromium();
  try {
    const figures = await measure(chromium, binary, checkpoint, Number(context), folder);
    console.log(JSON.stringify({...figures, wasm_bytes: statSync(module).size,
      wasm_brotli_bytes: brotliCompressSync(readFileSync(module)).length}));
  } finally {
    await chromium.close();
  }
});
