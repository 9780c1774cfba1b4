// Opens a page of a report in headless Chromium, as wide as a desktop's window and as narrow as a
// phone, and checks that it stands on its own: nothing is fetched, nothing complains, nothing sticks
// out. With --out PREFIX it writes PREFIX.png and PREFIX-phone.png.
//
// usage: node tools/vm/picture_page.mjs PAGE.html [--out PREFIX]

import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';

import {missing} from './failure.mjs';
import {chromiumPath} from './chromium.mjs';

const kScreens = [
  {name: '', width: 1140, height: 1000, scale: 1},
  {name: '-phone', width: 390, height: 844, scale: 2},
];

async function chromium() {
  try {
    return (await import('playwright-core')).chromium;
  } catch (error) {
    throw error.code === 'ERR_MODULE_NOT_FOUND' ? missing('npm package playwright-core') : error;
  }
}

/** What is wrong with the page on this screen. */
async function look(browser, url, screen, out) {
  const faults = [];
  const context = await browser.newContext({
    viewport: {width: screen.width, height: screen.height}, deviceScaleFactor: screen.scale,
  });
  const page = await context.newPage();
  page.on('request', (request) => {
    if (request.url() !== url) faults.push(`it fetches ${request.url()}`);
  });
  page.on('console', (message) => faults.push(`the console says: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  await page.goto(url);
  const seen = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    maps: [...document.querySelectorAll('svg')].filter((svg) => svg.getBoundingClientRect().width)
      .map((svg) => svg.querySelectorAll('rect').length),
    labels: [...document.querySelectorAll('svg text')]
      .map((text) => text.getBoundingClientRect().height).filter((height) => height > 0),
  }));
  if (seen.overflow > 0) faults.push(`it is ${seen.overflow} pixels too wide`);
  if (seen.maps.length !== 1 || seen.maps[0] < 2) faults.push(`treemaps: ${seen.maps}`);
  if (seen.labels.length === 0) faults.push('the treemap has no labels');
  if (seen.labels.some((height) => height < 10)) faults.push('labels too small to read');
  if (out) await page.screenshot({path: `${out}${screen.name}.png`, fullPage: !screen.name});
  await context.close();
  return faults.map((fault) => `${screen.width} pixels wide: ${fault}`);
}

async function main() {
  const {values, positionals} = parseArgs({
    options: {out: {type: 'string'}}, allowPositionals: true,
  });
  if (positionals.length !== 1 || !existsSync(positionals[0])) {
    console.error('usage: node tools/vm/picture_page.mjs PAGE.html [--out PREFIX]');
    return 2;
  }
  const browser = await (await chromium()).launch({
    executablePath: chromiumPath(), args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  try {
    const url = pathToFileURL(resolve(positionals[0])).href;
    const faults = [];
    for (const screen of kScreens) faults.push(...await look(browser, url, screen, values.out));
    for (const fault of faults) console.error(`${positionals[0]}: ${fault}`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exit_code ?? 70;
}
