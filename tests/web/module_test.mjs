// The program as WebAssembly in Node: projects, plans and logits are the native program's, bit for
// bit, and what WebAssembly has not is said in a sentence.
//   module_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {kOut, requirePage, sha256} from './support.mjs';
import {kCat, kRoot, sb3lm, withFolder} from '../e2e/support.mjs';
import {NodeProgram} from '../../web/node_program.mjs';

const kTokenizer = join(kRoot, 'samples/dictionary-cat/tokenizer.json');

async function startProgram() {
  const program = await NodeProgram.start(kOut);
  program.module.FS.mkdir('/in');
  program.module.FS.writeFile('/in/model.safetensors', readFileSync(kCat));
  program.module.FS.writeFile('/in/tokenizer.json', readFileSync(kTokenizer));
  return program;
}

function testBytes(program, binary, folder, ...options) {
  const out = join(folder, 'native.sb3');
  sb3lm(binary, 'build', kCat, '--no-verify', '-o', out, ...options);
  const built = program.run('build', '/in/model.safetensors', '--no-verify', '-o', '/out.sb3', ...options);
  assert.equal(built.code, 0, built.complaint);
  assert.equal(sha256(program.module.FS.readFile('/out.sb3')), sha256(readFileSync(out)), options.join(' '));
  console.log(`build ${options.join(' ')}: the same bytes`);
}

function testLogits(program, binary) {
  const words = ['--tokens', '0,4,35,200', '--all', '--json'];
  const ours = program.run('logits', '/in/model.safetensors', ...words);
  assert.equal(ours.code, 0, ours.complaint);
  const [web, native] = [JSON.parse(ours.output), JSON.parse(sb3lm(binary, 'logits', kCat, ...words))];
  delete web.file;
  delete native.file;
  assert.deepEqual(web, native);
  console.log('logits of the double engine: the same bits');
}

await withFolder(async (folder) => {
  requirePage();
  const binary = process.argv[2];
  const program = await startProgram();
  testBytes(program, binary, folder, '--title', 'Cat');
  testBytes(program, binary, folder, '--title', 'Cat', '--target', 'turbowarp', '--level', 'smallest');
  const refused = program.run('run', '/in/model.safetensors', '--prompt', 'hi', '--threads', '2');
  assert.equal(refused.code, 2);
  assert.match(refused.complaint, /^threads: 2 are asked for, and WebAssembly has only one/);
  testLogits(program, binary);
});
