// Packaged pages in headless Chromium: the chat, and somebody else's project with the model in it.
//   page_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {chat} from './chat.mjs';
import {kPhone, ProjectPage} from './project_page.mjs';
import {buildCat, jszip, kCat, kExpected, kRoot, sb3lm, sb3lmStatus, withFolder} from './support.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';

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
  await testPhone(chromium, html);
  await testSign(chromium, html);
  await testLongQuestion(chromium, html);
}

// A phone held upright: a finger on the box, the buttons and the conversation.
async function testPhone(chromium, html) {
  const page = await ProjectPage.open(chromium, html, 1, kPhone);
  const [box, log, stop] = ['#message', '#talk', '#stop'].map((name) => page.element(name));
  await page.whenStatus('ready');
  assert.equal(await log.getAttribute('aria-live'), 'polite');
  const {y, height} = await box.boundingBox();
  assert.ok(y + height <= kPhone.viewport.height, 'the box is below the screen');
  for (let turns = 2; turns <= 8; turns += 2) {
    await box.tap();
    await box.fill(kExpected.question);
    await page.press('Enter');
    await page.until('an answer', async () => (await page.list('transcript')).length === turns &&
      (await page.variable('status')) === 'ready');
  }
  const told = (await page.list('transcript')).at(-1).replace('model: ', '');
  await page.until('the answer in the live region', async () =>
    (await log.locator('.model').last().textContent()).endsWith(told) &&
    (await log.getAttribute('aria-busy')) === 'false');
  await page.frames(3);
  const end = Number(await page.variable('_scroll'));
  assert.ok(end > 0, 'the conversation fits the stage');
  await page.swipe({x: 40, y: 100}, {x: 40, y: -60});
  const up = Number(await page.variable('_scroll'));
  assert.ok(Math.abs(up - Math.max(0, end - 160)) < 3, `160 pixels down: from ${end} to ${up}`);
  await page.slowDown(20);
  await page.holdAt(2);
  await box.fill('What is a cat?');
  await page.press('Enter');
  await page.whenHeld();
  await stop.tap();
  await page.goOn();
  await page.whenStatus('ready');
  await page.slowDown(1);
  assert.equal(await page.variable('stop reason'), 'stopped');
  await page.element('#new-chat').tap();
  await page.until('an empty conversation', async () => (await log.locator('p').count()) === 0);
  assert.deepEqual(page.complaints, []);
  await page.close();
  console.log('phone: a finger scrolls, the box asks, stop stops');
}

// The stop sign while the weights are unpacked leaves a word of what to do next.
async function testSign(chromium, html) {
  const page = await ProjectPage.open(chromium, html);
  await page.whenStatus('loading');
  assert.equal(await page.shows('Sign'), false);
  await page.stopSign();
  assert.equal(await page.shows('Sign'), true);
  await page.greenFlag();
  await page.whenStatus('ready');
  await page.frames(3);
  await page.stopSign();
  assert.equal(await page.shows('Sign'), false);
  await page.close();
}

// What is typed is not lost when it is too long for the model.
async function testLongQuestion(chromium, html) {
  const page = await ProjectPage.open(chromium, html);
  const question = 'Is this question too long for you? '.repeat(60).trim();
  await page.whenStatus('ready');
  const box = page.element('#message');
  await box.fill(question);
  await page.press('Enter');
  await page.until('the question back in the box', async () =>
    (await box.inputValue()) === question);
  assert.match(await page.element('#state').textContent(), /^error: /);
  await page.close();
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
  assert.equal(await page.variable('choice'), 'A frog is an amphibian, so yes.');
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
  zip.file('project.json', JSON.stringify(project));
  for (const name of Object.keys(zip.files)) if (name.endsWith('.svg')) zip.remove(name);
  // Each name once, however many costumes have it.
  refused('bare.sb3', await zip.generateAsync({type: 'nodebuffer'}), 3,
    /not in the zip: (\S+\.svg)(?!.*\1)/);
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
