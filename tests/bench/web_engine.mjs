// How fast the module of tools/web generates in Node, in turns with the native program: first (before
// the engine that compiles it has optimised it) and best of the runs, in one thread.
//   web_engine.mjs PATH_OF_SB3LM FOLDER_OF_MODULE MODEL [TOKENS]

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';

import {sb3lm} from '../e2e/support.mjs';
import {NodeProgram} from '../../web/node_program.mjs';

const kTurns = 8;
const [binary, folder, model, count = '256'] = process.argv.slice(2);
const words = ['--tokenizer', 'none', '--tokens', '1,2,3', '--max-new-tokens', count, '--temperature', '0',
  '--threads', '1', '--json'];

const program = await NodeProgram.start(folder);
program.module.FS.writeFile('/model', readFileSync(model));
const speeds = {native: [], web: []};
for (let turn = 0; turn < kTurns; ++turn) {
  const native = JSON.parse(sb3lm(binary, 'run', model, ...words));
  const ran = program.run('run', '/model', ...words);
  assert.equal(ran.code, 0, ran.complaint);
  const web = JSON.parse(ran.output);
  assert.deepEqual(web.tokens, native.tokens);
  speeds.native.push(native.tokens_per_second);
  speeds.web.push(web.tokens_per_second);
}
for (const [name, all] of Object.entries(speeds)) {
  console.log(`${name}: first ${all[0].toFixed(0)}, best ${Math.max(...all).toFixed(0)} tokens a second`);
}
