// The program as WebAssembly in Node: projects, plans and logits are the native program's, bit for
// bit, and what WebAssembly has not is said in a sentence.
//   module_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';

import {kOut, requirePage, sha256} from './support.mjs';
import {kCat, sb3lm, withFolder} from '../e2e/support.mjs';
import {NodeProgram} from '../../web/node_program.mjs';

const kCatFiles = [kCat, join(dirname(kCat), 'tokenizer.json')];

/** Files of SB3LM_TEST_DATA, or nothing where it is not set. */
function storiesFiles() {
  const files = ['stories260K.bin', 'tok512.bin'].map((name) =>
    join(process.env.SB3LM_TEST_DATA ?? '', 'stories260K', name));
  if (files.every((file) => existsSync(file))) return files;
  console.log('skipped case: stories260K (SB3LM_TEST_DATA)');
  return null;
}

/** Both programs, with the first of `files` as their input. */
class Twins {
  #binary;
  #folder;
  #program;
  #input;

  static async start(binary, folder, files) {
    const twins = new Twins();
    twins.#binary = binary;
    twins.#folder = folder;
    twins.#program = await NodeProgram.start(kOut);
    twins.#input = files[0];
    const {FS} = twins.#program.module;
    FS.mkdir('/in');
    for (const file of files) FS.writeFile(`/in/${basename(file)}`, readFileSync(file));
    return twins;
  }

  web(command, ...words) {
    return this.#program.run(command, `/in/${basename(this.#input)}`, ...words);
  }

  sameFile(command, ...words) {
    const out = join(this.#folder, 'out');
    sb3lm(this.#binary, command, this.#input, '-o', out, ...words);
    const made = this.web(command, '-o', '/out', ...words);
    assert.equal(made.code, 0, made.complaint);
    const bytes = this.#program.module.FS.readFile('/out');
    const what = `${basename(this.#input)}: ${command} ${words.join(' ')}`;
    assert.equal(sha256(bytes), sha256(readFileSync(out)), what);
    console.log(`${what}: the same ${bytes.length} bytes`);
  }

  sameJson(command, ...words) {
    const ours = this.web(command, ...words, '--json');
    assert.equal(ours.code, 0, ours.complaint);
    const native = JSON.parse(sb3lm(this.#binary, command, this.#input, ...words, '--json'));
    assert.deepEqual({...JSON.parse(ours.output), file: ''}, {...native, file: ''});
    console.log(`${basename(this.#input)}: ${command} ${words.join(' ')}: the same numbers`);
  }
}

async function testCat(binary, folder) {
  const cat = await Twins.start(binary, folder, kCatFiles);
  cat.sameFile('build', '--no-verify', '--title', 'Cat');
  cat.sameFile('build', '--no-verify', '--title', 'Cat', '--target', 'turbowarp', '--level', 'smallest');
  cat.sameFile('build', '--no-verify', '--title', 'Cat', '--target', 'site');
  cat.sameJson('logits', '--tokens', '0,4,35,200', '--all');
  const refused = cat.web('run', '--prompt', 'hi', '--threads', '2');
  assert.equal(refused.code, 2);
  assert.match(refused.complaint, /^threads: 2 are asked for, and WebAssembly has only one/);
}

async function testStories(binary, folder) {
  const files = storiesFiles();
  if (!files) return;
  const stories = await Twins.start(binary, folder, files);
  stories.sameFile('build', '--no-verify', '--title', 'Stories', '--bits', '4');
  stories.sameFile('plan', '--fit', '250000', '--title', 'Stories', '--use-tokens', '32');
  stories.sameJson('logits', '--tokens', '1,4,35,200', '--all');
}

await withFolder(async (folder) => {
  requirePage();
  await testCat(process.argv[2], folder);
  await testStories(process.argv[2], folder);
});
