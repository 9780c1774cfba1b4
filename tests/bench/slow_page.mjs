// A chat on a packaged page in Chromium, its processor slowed down: how long the page ever stands
// still, and how soon S stops a reply. Prints one JSON object; times are milliseconds of a clock.
//   slow_page.mjs PATH_OF_SB3LM FILE.sb3 [TIMES]

import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {ProjectPage} from '../e2e/project_page.mjs';
import {sb3lm} from '../e2e/support.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';

const kQuestion = 'What is a lighthouse?';
const kReplies = 10;
const kTokensBefore = 4;  // of a reply, until S is pressed

// In the page: notes how far frames are apart, and presses S when a reply has some tokens. From
// here, because a reply may be over before a message from outside arrives; at the beginning of a
// step, where the key has to wait longest; as a task of its own, as keys are.
function watch() {
  const seen = {};
  window.seen = seen;
  seen.startAnew = (pressAt) =>
    Object.assign(seen, {stretch: 0, pressAt, pressed: 0, ended: 0, wasThinking: false});
  let last = performance.now();
  const frame = (now) => {
    seen.stretch = Math.max(seen.stretch, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const key = (name) =>
    document.body.dispatchEvent(new KeyboardEvent(name, {key: 's', bubbles: true}));
  const pressKey = () => {
    key('keydown');
    setTimeout(key, 60, 'keyup');
  };
  const {sequencer} = window.vm.runtime;
  const step = sequencer.stepThreads;
  sequencer.stepThreads = () => {
    const isThinking = window.project.variable('status') === 'thinking';
    if (isThinking && seen.pressed === 0 &&
        window.project.list('output tokens').length >= seen.pressAt) {
      seen.pressed = performance.now();
      setTimeout(pressKey);
    }
    seen.wasThinking ||= isThinking;
    const threads = step.call(sequencer);
    if (seen.wasThinking && seen.ended === 0 &&
        window.project.variable('status') !== 'thinking') seen.ended = performance.now();
    return threads;
  };
}

// In the page: replies are nonsense from now on, of any length.
function talkOn() {
  const values = {temperature: 2, 'top k': 0, 'top p': 1, 'max new tokens': 1000};
  for (const target of window.vm.runtime.targets) {
    for (const variable of Object.values(target.variables)) {
      if (Object.hasOwn(values, variable.name)) variable.value = values[variable.name];
    }
  }
}

/** Asks, and presses S at the given token; what was seen until the reply's end. */
async function ask(page, pressAt) {
  await page.evaluate((at) => window.seen.startAnew(at), pressAt);
  await page.press('Space');
  await page.type(kQuestion);
  await page.press('Enter');
  await page.until('the end of the reply', () => page.evaluate(() => window.seen.ended > 0));
  const {stretch, pressed, ended} = await page.evaluate(() => window.seen);
  return {stretch, stop: ended - pressed, tokens: (await page.list('output tokens')).length,
    reason: await page.variable('stop reason')};
}

async function measure(page, times) {
  await page.whenStatus('ready');
  await page.evaluate(watch);
  await page.slowDown(times);
  const whole = await ask(page, Infinity);
  await page.evaluate(talkOn);
  const replies = [];
  while (replies.length < kReplies) replies.push(await ask(page, kTokensBefore));
  // Others ended before the key could do anything.
  const stops = replies.filter(({reason}) => reason === 'stopped');
  return {
    times, tokens: whole.tokens,
    longest_stretch_ms: Math.max(whole.stretch, ...replies.map(({stretch}) => stretch)),
    stop_ms: stops.map(({stop}) => stop),
    stop_tokens: stops.map(({tokens}) => tokens),
  };
}

const [binary, project, times = '6'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'sb3lm-slow-'));
const chromium = await launchChromium();
try {
  const html = join(folder, 'page.html');
  sb3lm(binary, 'package', project, '-o', html);
  console.log(JSON.stringify(await measure(await ProjectPage.open(chromium, html), Number(times))));
} finally {
  await chromium.close();
  rmSync(folder, {recursive: true, force: true});
}
