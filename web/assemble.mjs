#!/usr/bin/env node
// Puts the page together: OUT/index.html with what it loads, and OUT/sb3lm.html, the same in one file
// that opens from the disk, where modules and workers may not be loaded from others.
//   assemble.mjs BUILD_FOLDER OUT

import {createHash} from 'node:crypto';
import {copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';

import {playerPage} from './player.mjs';

const kHere = fileURLToPath(new URL('.', import.meta.url));
const kCat = join(kHere, '../samples/dictionary-cat');

// Those of this script's own.
const kMaking = ['assemble.mjs', 'node_program.mjs', 'player.mjs'];

const modules = () => readdirSync(kHere).filter((name) =>
  name.endsWith('.mjs') && !kMaking.includes(name)).sort();

const scripts = (build) => ({
  'sb3lm_page.js': join(build, 'sb3lm_page.js'),
  'packed.js': join(kHere, 'packed.js'),
  'worker.js': join(kHere, 'worker.js'),
});

/** {name in OUT: file}, of all that the page loads while it runs; what it needs first comes first. */
const assets = (build) => ({
  'sb3lm_page.wasm': join(build, 'sb3lm_page.wasm'),
  'cat/model.safetensors': join(kCat, 'model.safetensors'),
  'cat/tokenizer.json': join(kCat, 'tokenizer.json'),
  'player.html': join(build, 'player.html'),
});

function serviceWorker(out, names) {
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(readFileSync(join(out, name)));
  return readFileSync(join(kHere, 'service_worker.js'), 'utf8')
    .replace('@VERSION@', hash.digest('hex').slice(0, 16))
    .replace("'@FILES@'", ['./', ...names].map((name) => JSON.stringify(name)).join(', '));
}

function writeFolder(build, out) {
  const files = {...scripts(build), ...assets(build)};
  for (const name of ['index.html', 'style.css', 'start.js', ...modules()]) files[name] = join(kHere, name);
  for (const [name, file] of Object.entries(files)) {
    mkdirSync(dirname(join(out, name)), {recursive: true});
    copyFileSync(file, join(out, name));
  }
  writeFileSync(join(out, 'service_worker.js'), serviceWorker(out, Object.keys(files).sort()));
}

function inScript(name, text) {
  if (/<\/script|<!--/i.test(text)) throw new Error(`${name}: cannot be inside a page`);
  return `<script type="text/plain" id="asset:${name}">${text}</script>\n`;
}
const asAddress = (text) =>
  `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;

function oneFile(build) {
  const text = (name) => readFileSync(join(kHere, name), 'utf8');
  const imports = Object.fromEntries(
    modules().map((name) => [`sb3lm/${name}`, asAddress(text(name))]));
  const inScripts = Object.entries(scripts(build)).map(([name, file]) =>
    inScript(name, readFileSync(file, 'utf8')));
  const [wasm, ...others] = Object.entries(assets(build)).map(([name, file]) =>
    inScript(name, gzipSync(readFileSync(file), {level: 9}).toString('base64')));
  const replace = (page, pattern, by) => {
    if (!pattern.test(page)) throw new Error(`index.html has no ${pattern}`);
    return page.replace(pattern, by);
  };
  let page = text('index.html');
  page = replace(page, /<link rel="stylesheet"[^>]*>/, () => `<style>\n${text('style.css')}</style>`);
  page = replace(page, /<script type="importmap">.*<\/script>/,
    () => `<script type="importmap">${JSON.stringify({imports})}</script>`);
  for (const name of ['packed.js', 'start.js']) {
    page = replace(page, new RegExp(`<script src="${name}"></script>`),
      () => `<script>\n${text(name)}</script>`);
  }
  // In the order in which they are needed: the browser acts on what it has read.
  page = replace(page, /(?=<script>\n)/, () => inScripts.join(''));
  page = replace(page, /(?=<script>sb3lmWorkers)/, () => wasm);
  return replace(page, /(?=<script type="module">)/, () => others.join(''));
}

const [build, out] = process.argv.slice(2);
rmSync(out, {recursive: true, force: true});
mkdirSync(out, {recursive: true});
writeFileSync(join(build, 'player.html'), await playerPage(build, kCat));
writeFolder(build, out);
writeFileSync(join(out, 'sb3lm.html'), oneFile(build));
