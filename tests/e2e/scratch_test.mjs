// The Scratch Foundation's own machine with its renderer, in headless Chromium: the project loads,
// draws and answers.
//   scratch_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {statSync} from 'node:fs';
import {join} from 'node:path';

import {buildCat, kExpected, withFolder} from './support.mjs';
import {BrowserHost} from '../../tools/vm/browser_host.mjs';
import {runJob} from '../../tools/vm/job.mjs';
import {readRequest} from '../../tools/vm/request.mjs';

const kTokens = 5;  // of the answer: a third of a second each, and more while drawing
const kLeastPicture = 8000;  // bytes; an empty stage has a fraction of that

await withFolder(async (folder) => {
  const project = buildCat(process.argv[2], folder);
  const screenshot = join(folder, 'stage.png');
  const host = await BrowserHost.start('scratch-browser');
  try {
    const result = await runJob(host, 'scratch-browser', project, readRequest({
      screenshot, turbo: false,
      runs: [{broadcast: 'chat', user_message: kExpected.question,
        set: {temperature: 0, 'max new tokens': kTokens}}],
    }));
    assert.deepEqual(result.compile_errors, []);
    const [run] = result.runs;
    assert.equal(run.status, 'ready');
    assert.equal(run.tokens.length, kTokens);
    assert.ok(kExpected.beginning.startsWith(run.text.replace('model: ', '')), run.text);
    assert.ok(statSync(screenshot).size > kLeastPicture, `a picture of ${statSync(screenshot).size} bytes`);
    console.log(`${result.version} in ${result.browser}: ready after ` +
      `${result.seconds_loading.toFixed(1)} s, ${run.text} (${run.seconds.toFixed(1)} s)`);
  } finally {
    await host.close();
  }
});
