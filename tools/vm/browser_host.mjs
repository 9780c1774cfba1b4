// A virtual machine inside headless Chromium: TurboWarp's, or the Scratch Foundation's.
// One browser serves many projects; each gets a page of its own.

import {missing, textOf} from './failure.mjs';
import {beside, chromiumPath, packageFile, packageVersion} from './packages.mjs';
import {PageServer} from './page_server.mjs';

const kFlags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
// The renderer needs WebGL, which without a graphics card means this software path.
const kDrawingFlags = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

const kShared = ['doubles.mjs', 'failure.mjs', 'names.mjs', 'page.html', 'page_session.mjs',
  'session.mjs', 'token_clock.mjs'];

const kMachines = {
  turbowarp: {
    package: '@turbowarp/packager',
    page: 'page_turbowarp.mjs',
    scripts: [['@turbowarp/packager', 'dist/scaffolding/scaffolding-min.js']],
    drawingScripts: [],
  },
  'scratch-browser': {
    package: 'scratch-vm',
    page: 'page_scratch.mjs',
    scripts: [['scratch-storage', 'dist/web/scratch-storage.min.js'],
      ['scratch-vm', 'dist/web/scratch-vm.js']],
    drawingScripts: [['scratch-render', 'dist/web/scratch-render.js']],
  },
};

const addressOf = ([name, path]) => `/npm/${name}/${path}`;

function servedFiles(machine) {
  const files = {'/page_machine.mjs': beside(machine.page)};
  for (const name of kShared) files[`/${name}`] = beside(name);
  for (const script of [...machine.scripts, ...machine.drawingScripts]) {
    files[addressOf(script)] = packageFile(...script);
  }
  return files;
}

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

export class BrowserHost {
  #machine;
  #server;
  #chromium;
  #contexts = new Map();
  #opened = 0;

  static async start(kind) {
    const host = new BrowserHost();
    host.#machine = kMachines[kind];
    const files = servedFiles(host.#machine);
    host.#chromium = await launchChromium();
    host.#server = await PageServer.start(files);
    return host;
  }

  get version() {
    return packageVersion(this.#machine.package);
  }

  get browser() {
    return `Chromium ${this.#chromium.version()}`;
  }

  async open(file, request) {
    const project = `/project/${this.#opened++}`;
    this.#server.add(project, file);
    const scripts = [...this.#machine.scripts,
      ...(request.screenshot ? this.#machine.drawingScripts : [])];
    const page = await (await this.#context(request.screenshot ? 2 : 1)).newPage();
    const opened = new BrowserProject(page, project);
    await page.goto(`${this.#server.origin}/page.html`);
    for (const script of scripts) await page.addScriptTag({url: addressOf(script)});
    await page.addScriptTag({type: 'module', url: '/page_session.mjs'});
    await page.waitForFunction(() => window.harness);
    await opened.call('open', request);
    return opened;
  }

  // Kept between projects, so that Chromium keeps the machine's compiled code; pictures are sharper.
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
    this.#server.close();
    await Promise.race([this.#chromium.close(), new Promise((go) => setTimeout(go, 5000).unref())]);
  }
}

class BrowserProject {
  exceptions = [];
  #page;
  #project;
  #crash;

  constructor(page, project) {
    this.#page = page;
    this.#project = project;
    page.on('pageerror', (error) => this.exceptions.push(textOf(error)));
    this.#crash = new Promise((_, reject) => {
      page.on('crash', () => reject(new Error('the page crashed (out of memory?)')));
    });
    this.#crash.catch(() => {});
  }

  async load() {
    await this.call('load', this.#project);
  }

  async call(method, ...parameters) {
    const answer = await Promise.race([this.#crash, this.#page.evaluate(
      ([name, given]) => window.harness(name, given), [method, JSON.stringify(parameters)])]);
    const {value, error} = JSON.parse(answer);
    if (error !== undefined) throw new Error(error);
    return value;
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
