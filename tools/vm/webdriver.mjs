// A browser that is driven by the W3C's WebDriver commands: one window, one page at a time.

import {writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';

import {Desk} from './desk.mjs';
import {kBrowserSeconds, withinSeconds} from './time_limit.mjs';

/**
 * What a driver is asked for: scripts may run for 24 days, the harness has limits of its own. The
 * standard's `null` for "any time" lets Firefox 153 give up at once.
 */
export const kCapabilities = {timeouts: {script: 2 ** 31 - 1}};

const kPollMs = 20;
const kIsReady = "return 'harness' in window;";
const kCall = `const [method, given, done] = arguments;
  window.harness(method, given).then(done);`;

export class WebDriverBrowser {
  #driver;
  #desk;

  /**
   * `connect(desk)` starts the browser and gives its driver: {version, takesPictures,
   * send(command, parameters)}, commands named as Marionette does. `cure` is the command that installs all this.
   */
  static async start(name, cure, connect) {
    const desk = await Desk.open(cure);
    try {
      const driver = await withinSeconds(kBrowserSeconds, `starting ${name}`,
        Promise.race([connect(desk), desk.broken]));
      return new WebDriverBrowser(`${name} ${driver.version}`, driver, desk);
    } catch (error) {
      desk.close();
      throw error;
    }
  }

  constructor(version, driver, desk) {
    this.version = version;
    this.#driver = driver;
    this.#desk = desk;
  }

  async open(address) {
    await this.send('Navigate', {url: address});
    // A busy WebKit takes the end of its first, empty page for that of ours.
    while (!await this.send('ExecuteScript', {script: kIsReady, args: []})) await sleep(kPollMs);
    return new WebDriverPage(this);
  }

  get takesPictures() {
    return this.#driver.takesPictures;
  }

  send(command, parameters) {
    return Promise.race([this.#driver.send(command, parameters), this.#desk.broken]);
  }

  async close() {
    this.#desk.close();
  }
}

class WebDriverPage {
  #browser;

  constructor(browser) {
    this.#browser = browser;
  }

  call(method, parameters) {
    return this.#browser.send('ExecuteAsyncScript', {script: kCall, args: [method, parameters]});
  }

  /** These browsers do not tell. */
  async heapBytes() {
    return null;
  }

  async screenshot(path) {
    const stage = await this.#browser.send('FindElement', {using: 'css selector', value: '#stage'});
    const [id] = Object.values(stage);
    writeFileSync(path, await this.#browser.send('TakeScreenshot', {id}), 'base64');
  }

  async close() {
    await this.#browser.send('Navigate', {url: 'about:blank'});
  }
}
