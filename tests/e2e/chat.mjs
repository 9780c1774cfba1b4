// A conversation with the dictionary cat on its packaged page, as test and as pictures for docs/.

import assert from 'node:assert/strict';

import {kExpected} from './support.mjs';

const kSlow = 20;  // so that a frame does not hold a whole answer

// Where the stage has its buttons and the first slider (packer/lower/ui_screen.cc, ui_settings.cc).
const kAskButton = [-127, -146];
const kSlider = {y: 103, left: -124, right: 222, most: 2};

const at = (value) => ({y: kSlider.y,
  x: kSlider.left + (value / kSlider.most) * (kSlider.right - kSlider.left)});

async function ask(page, question, start) {
  await start();
  await page.type(question);
}

// Pictures at three moments: the question, a part of the answer, the answer.
async function firstQuestion(page, picture) {
  await ask(page, kExpected.question, () => page.click(...kAskButton));
  await picture('question');
  // Where drawing takes long, the project makes many tokens in a frame; a quick machine, all of them.
  await page.slowDown(kSlow);
  await page.holdAt(2);
  await page.press('Enter');
  await page.whenHeld();
  assert.equal(await page.variable('status'), 'thinking');
  const half = (await page.list('transcript')).at(-1);
  await picture('answering');
  await page.goOn();
  await page.whenStatus('ready');
  await page.slowDown(1);
  await page.frames(10);
  await picture('answer');
  const [user, model] = await page.list('transcript');
  assert.equal(user, `user: ${kExpected.question}`);
  assert.ok(model.startsWith(`model: ${kExpected.beginning}`), model);
  assert.ok(model.startsWith(half) && half.length < model.length, `${half} | ${model}`);
}

async function settings(page, picture) {
  await page.press('o');
  await page.drag(at(0), at(1));
  assert.equal(Number(await page.variable('temperature')), 1);
  const longest = Number(await page.variable('max new tokens'));
  for (let row = 1; row < 5; ++row) await page.press('ArrowDown');
  await page.press('ArrowLeft');
  const shorter = Number(await page.variable('max new tokens'));
  assert.ok(shorter < longest && shorter >= longest - 10, `${longest}, then ${shorter}`);
  await picture('settings');
  await page.press('o');
}

async function secondQuestion(page) {
  await ask(page, 'Who are you?', () => page.press('Space'));
  await page.press('Enter');
  await page.until('a second answer', async () => (await page.list('transcript')).length === 4 &&
    (await page.variable('status')) === 'ready');
  assert.match((await page.list('transcript'))[3], /^model: \S/);
}

async function stopMidway(page) {
  await ask(page, 'What is a cat?', () => page.press('Space'));
  await page.slowDown(kSlow);
  await page.holdAt(2);
  await page.press('Enter');
  await page.whenHeld();
  const pressed = page.press('s');
  await page.goOn();
  await pressed;
  await page.whenStatus('ready');
  await page.slowDown(1);
  assert.equal(await page.variable('stop reason'), 'stopped');
  const {length} = await page.list('output tokens');
  assert.ok(length > 1, `stopped after ${length} tokens`);
}

async function newChat(page) {
  await page.press('n');
  await page.until('an empty conversation',
    async () => (await page.list('transcript')).length === 0);
  await page.whenStatus('ready');
}

/** `picture(name)` is called at the moments worth one. */
export async function chat(page, picture) {
  assert.equal(await page.title(), 'Dictionary cat');
  await page.whenStatus('ready');
  await firstQuestion(page, picture);
  await settings(page, picture);
  await secondQuestion(page);
  await stopMidway(page);
  await newChat(page);
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.requests, []);
}
