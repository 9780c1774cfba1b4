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

// These run in the page. `done` takes what they find.
const kTalk = `const [question, done] = arguments;
  const element = (id) => document.getElementById(id);
  const until = (holds, then) => holds() ? then() : setTimeout(until, 20, holds, then);
  until(() => !element('send').disabled, () => {
    element('message').value = question;
    element('send').click();
    until(() => element('send').disabled === false && document.querySelector('#log .model')?.textContent,
      () => done(document.querySelector('#log .model').textContent.replace(/^Model: /, '')));
  }`;
const kMake = `const [title, done] = arguments;
  const element = (id) => document.getElementById(id);
  const until = (holds, then) => holds() ? then() : setTimeout(until, 20, holds, then);
  element('title').value = title;
  element('make').click();
  until(() => !element('made').hidden || !element('problem').hidden, () => fetchMade().catch((error) => done({error: String(error)})));
  async function fetchMade() {
    if (!element('problem').hidden) return done({error: element('error').textContent});
    const bytes = new Uint8Array(await (await fetch(element('download').href)).arrayBuffer());
    let letters = '';
    for (const byte of bytes) letters += String.fromCharCode(byte);
    done({base64: btoa(letters), proof: element('proof').textContent});
  }`;

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
