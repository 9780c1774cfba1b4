// The page in Firefox, from the disk: the cat is talked to and made a project, whose bytes must be
// the native program's.
//   firefox_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

import {kOnePage, requirePage, sha256} from './support.mjs';
import {kCat, kExpected, sb3lm, withFolder} from '../e2e/support.mjs';
import {launchFirefox} from '../../tools/vm/firefox.mjs';

const kTitle = 'Fox';

// These run in the page; what they give back is JSON.
const kHelpers = `
  const [given, done] = arguments;
  const element = (id) => document.getElementById(id);
  const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go, 20)); };`;
const kTalk = `${kHelpers}
  const idle = () => !element('send').disabled;
  (async () => {
    await until(idle);
    element('message').value = given;
    element('send').click();
    await until(() => document.querySelector('#log .model') && idle());
    return document.querySelector('#log .model').textContent.replace(/^Model: /, '');
  })().then(done, (error) => done(String(error)));`;
const kMake = `${kHelpers}
  (async () => {
    element('title').value = given;
    element('make').click();
    await until(() => !element('made').hidden || !element('problem').hidden);
    if (!element('problem').hidden) return {error: element('error').textContent};
    const bytes = new Uint8Array(await (await fetch(element('download').href)).arrayBuffer());
    const letters = Array.from(bytes, (byte) => String.fromCharCode(byte));
    return {base64: btoa(letters.join('')), proof: element('proof').textContent};
  })().then(done, (error) => done({error: String(error)}));`;

await withFolder(async (folder) => {
  requirePage();
  const firefox = await launchFirefox();
  try {
    await firefox.send('Navigate', {url: pathToFileURL(kOnePage).href});
    const answer = await firefox.send('ExecuteAsyncScript', {script: kTalk, args: [kExpected.question]});
    assert.ok(answer.trim().startsWith(kExpected.beginning), answer);

    const made = await firefox.send('ExecuteAsyncScript', {script: kMake, args: [kTitle]});
    assert.equal(made.error, undefined);
    assert.match(made.proof, /the blocks compute the model's numbers\. (\d+) of \1 positions agree/);
    const out = join(folder, 'native.sb3');
    sb3lm(process.argv[2], 'build', kCat, '--no-verify', '-o', out, '--title', kTitle);
    assert.equal(sha256(Buffer.from(made.base64, 'base64')), sha256(readFileSync(out)));
    console.log(`${firefox.version}: the native program's bytes`);
  } finally {
    await firefox.close();
  }
});
