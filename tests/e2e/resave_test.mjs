// A project saved by TurboWarp before running, after running and after `unload` still answers, and
// the last one is not larger than an editor has to make it.
//   resave_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {deflateRawSync} from 'node:zlib';

import {buildCat, jszip, kExpected, withFolder} from './support.mjs';
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

// Everything in the file but project.json, and that as zlib's level 6 deflates it.
async function editorSize(file) {
  const bytes = readFileSync(file);
  const zip = await jszip().loadAsync(bytes);
  const json = await zip.file('project.json').async('nodebuffer');
  const packed = deflateRawSync(json, {level: 6}).length;
  const small = Object.values(zip.files).filter(({name}) => name !== 'project.json');
  const others = await Promise.all(small.map((entry) => entry.async('nodebuffer')));
  return packed + others.reduce((sum, {length}) => sum + length + 200, 400);
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
    const {runs: [unload]} = readRequest({runs: [{broadcast: 'unload'}]});
    assert.equal((await used.call('perform', unload)).status, 'unloaded');
    saved.unloaded = await save(used, join(folder, 'unloaded.sb3'));
    await used.close();
    for (const [when, file] of Object.entries(saved)) {
      const again = await started(host, file);
      const answer = await answerOf(again);
      assert.ok(answer.includes(kExpected.beginning), `saved ${when}: ${answer}`);
      await again.close();
      console.log(`saved ${when}: ${statSync(file).size} bytes, answers: ${answer}`);
    }
    const predicted = await editorSize(original);
    console.log(`built: ${statSync(original).size} bytes; zlib level 6 of it: ${predicted}`);
    for (const when of ['before', 'unloaded']) {
      const size = statSync(saved[when]).size;
      console.log(`${when}: ${(size / predicted).toFixed(4)} times that`);
    }
  } finally {
    await host.close();
  }
});
