// Packaged pages in headless Chromium: the chat, and somebody else's project with the model in it.
//   page_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {chat} from './chat.mjs';
import {ProjectPage} from './project_page.mjs';
import {buildCat, jszip, kCat, kRoot, sb3lm, sb3lmStatus, withFolder} from './support.mjs';
import {launchChromium} from '../../tools/vm/browser_host.mjs';

const kStoryteller = join(kRoot, 'samples/storyteller/storyteller.sb3');
const kShared =
  'status,max new tokens,user message,choice,transcript,stop words,answers,chat,choose';

async function testChat(chromium, binary, folder) {
  const project = buildCat(binary, folder);
  const [html, again] = [join(folder, 'chat.html'), join(folder, 'again.html')];
  sb3lm(binary, 'package', project, '-o', html);
  sb3lm(binary, 'package', project, '-o', again);
  const text = readFileSync(html);
  assert.ok(text.equals(readFileSync(again)), 'two pages of a project differ');
  assert.ok(text.includes('<h1 class="loading-text">Dictionary cat</h1>'));
  assert.ok(text.includes('progress-bar-inner'));
  const page = await ProjectPage.open(chromium, html);
  await chat(page, async () => {});
  await page.close();
  console.log(`chat: ${text.length} bytes, no complaint, no request`);
}

async function testStory(chromium, binary, folder) {
  const [project, html] = [join(folder, 'story.sb3'), join(folder, 'story.html')];
  sb3lm(binary, 'build', kCat, '--template', kStoryteller, '--share', kShared, '-o', project);
  sb3lm(binary, 'package', project, '-o', html, '--title', 'Story');
  const page = await ProjectPage.open(chromium, html);
  assert.equal(await page.title(), 'Story');
  await page.whenStatus('ready');
  await page.click(60, -40);  // the owl
  await page.until('the mouse wants more',
    async () => (await page.variable('turn of the mouse')) === 'now');
  const told = (await page.list('transcript')).at(-1);
  assert.match(told, /Once there was a cat who read a dictionary.* fell asleep$/);
  assert.equal(await page.variable('choice'), 'Yes');
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.requests, []);
  await page.close();
  console.log(`story: ${told}`);
}

// The committed sample is what its script makes.
function testSample(folder) {
  const made = join(folder, 'storyteller.sb3');
  execFileSync(process.execPath, [join(kRoot, 'samples/storyteller/make.mjs'), made]);
  assert.ok(readFileSync(made).equals(readFileSync(kStoryteller)), 'run make.mjs again');
}

// What cannot become a page.
async function testRefusals(binary, folder) {
  const refused = (name, bytes, code, pattern) => {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    const {status, stderr} = sb3lmStatus(binary, 'package', file, '-o', join(folder, 'no.html'));
    assert.equal(status, code, stderr);
    assert.match(stderr, pattern);
  };
  refused('text.sb3', 'hello', 3, /not a Scratch project/);
  const zip = await jszip().loadAsync(readFileSync(kStoryteller));
  const project = JSON.parse(await zip.file('project.json').async('string'));
  zip.file('project.json', JSON.stringify({...project,
    extensionURLs: {clock: 'https://example.org/clock.js'}}));
  refused('clock.sb3', await zip.generateAsync({type: 'nodebuffer'}), 4, /clock\.js/);
  zip.remove(Object.keys(zip.files).find((name) => name.endsWith('.svg')));
  refused('bare.sb3', await zip.generateAsync({type: 'nodebuffer'}), 3, /not in the zip/);
}

await withFolder(async (folder) => {
  const binary = process.argv[2];
  testSample(folder);
  const chromium = await launchChromium();
  try {
    await testChat(chromium, binary, folder);
    await testStory(chromium, binary, folder);
    await testRefusals(binary, folder);
  } finally {
    await chromium.close();
  }
});
