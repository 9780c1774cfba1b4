// A project saved by TurboWarp before running, after running and after `unload` still answers, and
// the last one is not larger than an editor has to make it.
//   resave_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {buildCat, kExpected, sb3lm, withFolder} from './support.mjs';
import {BrowserHost} from '../../tools/vm/browser_host.mjs';
import {readRequest} from '../../tools/vm/request.mjs';

const kRun = {broadcast: 'chat', user_message: kExpected.question,
  set: {temperature: 0, 'max new tokens': 12}, read_variables: ['status']};

async function answerOf(project) {
  const {runs: [run]} = readRequest({runs: [kRun]});
  const {text, status} = await project.call('perform', run);
  assert.equal(status, 'ready');
  return text;
}

async function opened(host, file) {
  const project = await host.open(file, readRequest({}));
  await project.load();
  return project;
}

async function started(host, file) {
  const project = await opened(host, file);
  const {status} = await project.call('start');
  assert.equal(status, 'ready');
  return project;
}

async function save(project, file) {
  writeFileSync(file, Buffer.from(await project.call('save'), 'base64'));
  return file;
}

// What `report` expects of an editor that only compresses anew. Editors also spell blocks anew, with
// the parents that we leave out: that is what saving before running adds.
const kSpelling = 1.02;
const kLeftovers = 1.01;
const kGuess = 1.05;  // what is filled in while running is estimated

function checkSizes(binary, original, sizes) {
  const {resaved_bytes: predicted, used_bytes: [least, most]} =
    JSON.parse(sb3lm(binary, 'report', original, '--json'));
  const times = (size) => (size / predicted).toFixed(3);
  console.log(`built: ${statSync(original).size} bytes; report predicts ${predicted}; ` +
    `saved before running ${times(sizes.before)}, after unload ${times(sizes.unloaded)} times that`);
  console.log(`saved after running: ${sizes.after} bytes; report predicts ${least} to ${most}`);
  assert.ok(sizes.before <= kSpelling * predicted);
  assert.ok(sizes.after > least / kGuess && sizes.after < most * kGuess);
  assert.ok(sizes.unloaded <= kLeftovers * sizes.before);
}

await withFolder(async (folder) => {
  const original = buildCat(process.argv[2], folder);
  const host = await BrowserHost.start('turbowarp');
  try {
    const fresh = await opened(host, original);
    const saved = {before: await save(fresh, join(folder, 'before.sb3'))};
    await fresh.close();
    const used = await started(host, original);
    assert.ok((await answerOf(used)).includes(kExpected.beginning));
    saved.after = await save(used, join(folder, 'after.sb3'));
    const {seconds, bytes} = await used.call('restorePoint');
    console.log(`restore point: ${seconds.toFixed(2)} s, ${bytes} bytes of project.json`);
    const {runs: [unload]} = readRequest({runs: [{broadcast: 'unload'}]});
    assert.equal((await used.call('perform', unload)).status, 'unloaded');
    saved.unloaded = await save(used, join(folder, 'unloaded.sb3'));
    await used.close();
    const sizes = {};
    for (const [when, file] of Object.entries(saved)) {
      const again = await started(host, file);
      const answer = await answerOf(again);
      assert.ok(answer.includes(kExpected.beginning), `saved ${when}: ${answer}`);
      await again.close();
      sizes[when] = statSync(file).size;
      console.log(`saved ${when}: ${sizes[when]} bytes, answers: ${answer}`);
    }
    checkSizes(process.argv[2], original, sizes);
  } finally {
    await host.close();
  }
});
