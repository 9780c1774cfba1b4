// Headless Chromium, driven by Playwright.

import {missing} from './failure.mjs';
import {programPath} from './packages.mjs';

const kFlags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
// The renderer needs WebGL, which without a graphics card means this software path.
const kDrawingFlags = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

export const chromiumPath = () => programPath('Chromium', 'SB3LM_CHROMIUM',
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']);

/** Playwright's own object, for tests that do more than run a project. */
export async function launchChromium() {
  let playwright;
  try {
    playwright = await import('playwright-core');
  } catch (error) {
    throw error.code === 'ERR_MODULE_NOT_FOUND' ? missing('npm package playwright-core') : error;
  }
  // A fresh profile folder is made, and removed, by launch() itself.
  return playwright.chromium.launch({
    executablePath: chromiumPath(),
    args: [...kFlags, ...kDrawingFlags],
  });
}

/** Many pages at a time. */
export class ChromiumBrowser {
  takesPictures = true;
  #chromium;
  #contexts = new Map();

  static async start() {
    return new ChromiumBrowser(await launchChromium());
  }

  constructor(chromium) {
    this.#chromium = chromium;
    this.version = `Chromium ${chromium.version()}`;
  }

  /** A page with a stage's size, drawn with `scale` times as many pixels. */
  async open(address, scale) {
    const page = await (await this.#context(scale)).newPage();
    await page.goto(address);
    return new ChromiumPage(page);
  }

  // Kept between projects, so that Chromium keeps the machine's compiled code.
  async #context(scale) {
    if (!this.#contexts.has(scale)) {
      this.#contexts.set(scale, await this.#chromium.newContext({
        viewport: {width: 480, height: 360}, deviceScaleFactor: scale,
      }));
    }
    return this.#contexts.get(scale);
  }

  // A page that never gives way can keep the browser from closing politely; leaving this
  // process ends it in any case.
  async close() {
    await Promise.race([this.#chromium.close(), new Promise((go) => setTimeout(go, 5000).unref())]);
  }
}

class ChromiumPage {
  #page;
  #crash;

  constructor(page) {
    this.#page = page;
    this.#crash = new Promise((_, reject) => {
      page.on('crash', () => reject(new Error('the page crashed (out of memory?)')));
    });
    this.#crash.catch(() => {});
  }

  call(method, parameters) {
    return Promise.race([this.#crash, this.#page.evaluate(
      ([name, given]) => window.harness(name, given), [method, parameters])]);
  }

  async heapBytes() {
    const inspector = await this.#page.context().newCDPSession(this.#page);
    await inspector.send('HeapProfiler.collectGarbage');
    await inspector.send('Performance.enable');
    const {metrics} = await inspector.send('Performance.getMetrics');
    await inspector.detach();
    return metrics.find((metric) => metric.name === 'JSHeapUsedSize').value;
  }

  async screenshot(path) {
    await this.#page.screenshot({path});
  }

  async close() {
    await this.#page.close();
  }
}
