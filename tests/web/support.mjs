// What the tests of the page share: where tools/web has put it, and the page as a person uses it.

import {createHash} from 'node:crypto';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join, relative} from 'node:path';

import {kRoot} from '../e2e/support.mjs';
import {missing} from '../../tools/vm/failure.mjs';

export const kOut = join(kRoot, 'out/web');
const kTimeout = 120_000;  // machines may be busy

export const kOnePage = join(kOut, 'sb3lm.html');

/** Skips the test where the page has not been built. */
export function requirePage() {
  if (!existsSync(kOnePage)) throw missing('the page (out/web)', 'tools/web');
}

/** {address: path} of the page in a folder, for PageServer. */
export function pageFiles() {
  const files = readdirSync(kOut, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const addressed = files.map((file) => [`/${relative(kOut, file)}`, file]);
  return Object.fromEntries([...addressed, ['/', join(kOut, 'index.html')]]);
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Stores and fetches of this page only; anything else is noted, and refused. */
export class WebPage {
  complaints = [];
  requests = [];

  static async open(chromium, address, options = {}) {
    const context = await chromium.newContext({acceptDownloads: true, ...options});
    const opened = new WebPage(context, await context.newPage(), address);
    await opened.#listen();
    await opened.page.goto(address);
    return opened;
  }

  constructor(context, page, address) {
    this.context = context;
    this.page = page;
    this.origin = new URL(address).origin;
    page.setDefaultTimeout(kTimeout);
  }

  async #listen() {
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    this.page.on('request', (request) => {
      const {protocol, origin} = new URL(request.url());
      if (/^(file|data|blob):$/.test(protocol) || origin === this.origin) return;
      this.requests.push(request.url());
    });
  }

  element(id) {
    return this.page.locator(`#${id}`);
  }

  text(id) {
    return this.element(id).textContent();
  }

  /** Until the model that was given last can be talked to. */
  async whenOpen(name) {
    await this.page.waitForFunction((wanted) =>
      document.getElementById('recognised').textContent.startsWith(`${wanted}: `) &&
      !document.getElementById('send').disabled, name);
  }

  async give(files) {
    await this.element('files').setInputFiles(files);
  }

  /** As the mouse does it. */
  async drop(files) {
    const given = files.map((file) => ({name: file.split('/').pop(), base64: readFileSync(file, 'base64')}));
    await this.page.evaluate((all) => {
      const dataTransfer = new DataTransfer();
      for (const {name, base64} of all) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        dataTransfer.items.add(new File([bytes], name));
      }
      const drop = document.getElementById('drop');
      for (const type of ['dragover', 'drop']) {
        drop.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer}));
      }
    }, given);
  }

  /** The answer. */
  async ask(question) {
    await this.element('message').fill(question);
    await this.page.keyboard.press('Enter');
    await this.page.waitForFunction(() => !document.getElementById('send').disabled &&
      document.querySelector('#log .model') !== null);
    const said = await this.page.locator('#log .model').last().textContent();
    return said.replace(/^Model: /, '');
  }

  /** The bytes of the project. `choices`: values by the id of the control. */
  async build(choices) {
    for (const [id, value] of Object.entries(choices)) {
      const control = this.element(id);
      if (id === 'title') await control.fill(value);
      else await control.selectOption(value);
    }
    await this.element('make').click();
    await this.element('made').waitFor();
    return this.download();
  }

  async download() {
    const coming = this.page.waitForEvent('download');
    await this.element('download').click();
    return readFileSync(await (await coming).path());
  }

  /** The error that is shown. */
  async error() {
    await this.element('problem').waitFor();
    return this.text('error');
  }

  close() {
    return this.context.close();
  }
}
