// The page in headless Chromium, from the disk and from a server: a checkpoint is dropped, talked to
// and made a project, whose bytes must be the native program's; what is broken is refused; work is
// cancelled. Nothing may be asked of the network.
//   page_test.mjs PATH_OF_SB3LM

import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

import {kOnePage, pageFiles, requirePage, sha256, WebPage} from './support.mjs';
import {kCat, kExpected, kRoot, sb3lm, withFolder} from '../e2e/support.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';
import {PageServer} from '../../tools/vm/page_server.mjs';

const kTokenizer = join(kRoot, 'samples/dictionary-cat/tokenizer.json');
const kCatName = 'Dictionary cat';
const kLongQuestion = 'What is a lighthouse for, and who lives in it? '.repeat(60).trim();

const native = (binary, folder, ...options) => {
  const out = join(folder, 'native.sb3');
  sb3lm(binary, 'build', kCat, '--no-verify', '-o', out, ...options);
  return readFileSync(out);
};

async function testCat(page) {
  await page.whenOpen(kCatName);
  const answer = await page.ask(kExpected.question);
  assert.ok(answer.startsWith(kExpected.beginning), answer);
}

async function testStop(page) {
  await page.whenOpen(kCatName);
  // From the key to the end of the reply, as the page sees it.
  await page.element('message').fill('Tell me about a cat and a dog and a mouse');
  const waited = await page.page.evaluate(async () => {
    const [stop, log] = ['stop', 'log'].map((id) => document.getElementById(id));
    document.getElementById('send').click();
    while (log.getAttribute('aria-busy') !== 'true' || stop.disabled) await new Promise(requestAnimationFrame);
    const start = performance.now();
    stop.click();
    while (log.getAttribute('aria-busy') === 'true') await new Promise((done) => setTimeout(done, 1));
    return performance.now() - start;
  });
  console.log(`stop: ${Math.round(waited)} ms`);
  assert.ok(waited < 1000, `stop took ${waited} ms`);  // 100 on a machine that does nothing else
}

async function testDrop(page, binary, folder) {
  await page.drop([kCat, kTokenizer]);
  await page.whenOpen('model');
  assert.match(await page.text('recognised'), /6\.\d+ million weights in \d+ layers/);
  const answer = await page.ask(kExpected.question);
  assert.ok(answer.startsWith(kExpected.beginning), answer);

  const first = await page.build({title: 'One'});
  assert.match(await page.text('proof'), /the blocks compute the model's numbers\. (\d+) of \1 positions agree/);
  assert.equal(sha256(first), sha256(native(binary, folder, '--title', 'One')));
  assert.match(await page.text('size-text'), /bytes of the 10,485,760 allowed/);
  const report = page.page.frameLocator('#report');
  await report.locator('svg[aria-label="Where the bytes go"]').first().waitFor({state: 'attached'});

  await testPlayer(page);

  const second = await page.build({title: 'Two', context: '64', level: 'fast'});
  assert.equal(sha256(second),
    sha256(native(binary, folder, '--title', 'Two', '--context', '64', '--level', 'fast')));
  console.log(`built twice: ${first.length} and ${second.length} bytes, the native program's`);
  return first;
}

// In TurboWarp's player, inside the page.
async function testPlayer(page) {
  await page.element('play').click();
  const player = page.page.frameLocator('#player iframe');
  await player.locator('#state', {hasText: 'ready'}).waitFor();
  await player.locator('#message').fill(kExpected.question);
  await player.locator('#message').press('Enter');
  await player.locator('#talk .model', {hasText: kExpected.beginning}).first().waitFor();
}

async function testProject(page, folder, bytes) {
  const file = join(folder, 'one.sb3');
  writeFileSync(file, bytes);
  await page.give([file]);
  await page.whenOpen('one');
  await page.element('made').waitFor();
  assert.equal(await page.element('building').isVisible(), false);
  const answer = await page.ask(kExpected.question);
  assert.ok(answer.startsWith(kExpected.beginning), answer);
}

async function testRefusals(page, folder) {
  const whole = readFileSync(kCat);
  const refused = async (name, bytes, pattern) => {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    await page.give([file]);
    const text = await page.error();
    assert.match(text, pattern);
    assert.doesNotMatch(text, /--[a-z]|\/in\/|mistake of the program/);
  };
  await refused('broken.safetensors', 'hello', /^broken\.safetensors: /);
  await refused('cut.safetensors', whole.subarray(0, whole.length / 2), /^cut\.safetensors: /);
  await page.element('cat').click();
  await page.whenOpen(kCatName);
  await page.element('message').fill(kLongQuestion);
  await page.page.keyboard.press('Enter');
  assert.match(await page.error(), /no room/);
  assert.equal(await page.element('message').inputValue(), kLongQuestion);
}

async function testCancel(page) {
  await page.whenOpen(kCatName);
  await page.element('make').click();
  await page.page.waitForFunction(() => document.getElementById('bar').value > 0);
  await page.element('cancel').click();
  await page.page.locator('#log .note').last().waitFor();
  await page.whenOpen(kCatName);
  assert.equal(await page.element('made').isVisible(), false);
  assert.equal(await page.element('work').isVisible(), false);
  await testCat(page);
}

async function testFromDisk(chromium, binary, folder) {
  const page = await WebPage.open(chromium, pathToFileURL(kOnePage).href, {offline: true});
  await testCat(page);
  await testStop(page);
  await testCancel(page);
  const made = await testDrop(page, binary, folder);
  await testProject(page, folder, made);
  await testRefusals(page, folder);
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.requests, []);
  await page.close();
}

// A second visit needs no network; a link to a model asks before it does anything.
async function testFromServer(chromium) {
  const server = await PageServer.start({...pageFiles(), '/model/cat.safetensors': kCat});
  const page = await WebPage.open(chromium, `${server.origin}/`);
  try {
    await testCat(page);
    await page.page.evaluate(() => navigator.serviceWorker.ready);
    await page.page.reload();  // through the service worker
    await page.whenOpen(kCatName);
    await page.context.setOffline(true);
    await page.page.reload();
    await testCat(page);
    await page.context.setOffline(false);
    await testLink(page, `${server.origin}/model/cat.safetensors`);
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(page.requests, []);
  } finally {
    await page.close();
    server.close();
  }
}

async function testLink(page, address) {
  const asked = [];
  page.page.on('request', (request) => asked.push(request.url()));
  await page.page.goto('about:blank');
  await page.page.goto(`${page.origin}/#model=${encodeURIComponent(address)}`);
  await page.element('ask').waitFor();
  assert.equal(await page.text('ask-address'), address);
  assert.ok(!asked.includes(address));
  await page.element('ask-yes').click();
  await page.page.waitForFunction(() => document.getElementById('ask-size').textContent !== '');
  await page.element('ask-yes').click();
  await page.page.waitForFunction(() =>
    document.getElementById('recognised').textContent.startsWith('cat: '));
  assert.match(await page.text('recognised'), /tokenizer/);
}

await withFolder(async (folder) => {
  requirePage();
  const chromium = await launchChromium();
  try {
    await testFromDisk(chromium, process.argv[2], folder);
    await testFromServer(chromium);
  } finally {
    await chromium.close();
  }
});
