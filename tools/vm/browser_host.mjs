// A virtual machine inside a browser: TurboWarp's, or the Scratch Foundation's.
// One browser serves many projects; each gets a page of its own. A browser is {version,
// takesPictures, open(address, scale), close()}, a page {call(method, parameters), heapBytes(), screenshot(path),
// close()}; parameters and answers are JSON text.

import {ChromiumBrowser} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {launchWebKit} from './webkit.mjs';
import {beside, packageFile, packagesApart, packageVersion} from './packages.mjs';
import {PageServer} from './page_server.mjs';

const kShared = ['doubles.mjs', 'failure.mjs', 'names.mjs', 'page.html', 'page_session.mjs',
  'session.mjs', 'token_clock.mjs'];

const turbowarp = {
  package: '@turbowarp/packager',
  page: 'page_turbowarp.mjs',
  scripts: [['@turbowarp/packager', 'dist/scaffolding/scaffolding-min.js']],
  drawingScripts: [],
};

const scratch = {
  package: 'scratch-vm',
  page: 'page_scratch.mjs',
  scripts: [['scratch-storage', 'dist/web/scratch-storage.min.js'],
    ['scratch-vm', 'dist/web/scratch-vm.js']],
  drawingScripts: [['scratch-render', 'dist/web/scratch-render.js']],
};

const scratch15 = {
  place: packagesApart('scratch15'),
  package: '@scratch/scratch-vm',
  page: 'page_scratch.mjs',
  scripts: [['@scratch/scratch-storage', 'dist/web/scratch-storage.min.js'],
    ['@scratch/scratch-vm', 'dist/web/scratch-vm.js']],
  drawingScripts: [['@scratch/scratch-render', 'dist/web/scratch-render.js']],
};

const kMachines = {
  turbowarp: {player: turbowarp, launch: ChromiumBrowser.start},
  firefox: {player: turbowarp, launch: launchFirefox},
  webkit: {player: turbowarp, launch: launchWebKit},
  'scratch-browser': {player: scratch, launch: ChromiumBrowser.start},
  scratch15: {player: scratch15, launch: ChromiumBrowser.start},
};

export const kBrowserVms = Object.keys(kMachines);

const addressOf = ([name, path]) => `/npm/${name}/${path}`;

function servedFiles(player) {
  const files = {'/page_machine.mjs': beside(player.page)};
  for (const name of kShared) files[`/${name}`] = beside(name);
  for (const script of [...player.scripts, ...player.drawingScripts]) {
    files[addressOf(script)] = packageFile(...script, player.place);
  }
  return files;
}

export class BrowserHost {
  #player;
  #server;
  #browser;
  #opened = 0;

  static async start(vm) {
    const {player, launch} = kMachines[vm];
    const host = new BrowserHost();
    host.#player = player;
    const files = servedFiles(player);
    host.#browser = await launch();
    host.#server = await PageServer.start(files);
    return host;
  }

  get version() {
    return packageVersion(this.#player.package, this.#player.place);
  }

  get browser() {
    return this.#browser.version;
  }

  get takesPictures() {
    return this.#browser.takesPictures;
  }

  async open(file, request) {
    const project = `/project/${this.#opened++}`;
    this.#server.add(project, file);
    const scripts = [...this.#player.scripts,
      ...(request.screenshot ? this.#player.drawingScripts : [])];
    const page = await this.#browser.open(`${this.#server.origin}/page.html`,
      request.screenshot ? 2 : 1);
    const opened = new BrowserProject(page, project);
    await opened.call('open', request, scripts.map(addressOf));
    return opened;
  }

  async close() {
    this.#server.close();
    await this.#browser.close();
  }
}

class BrowserProject {
  exceptions = [];
  #page;
  #project;

  constructor(page, project) {
    this.#page = page;
    this.#project = project;
  }

  async load() {
    await this.call('load', this.#project);
  }

  async call(method, ...parameters) {
    const {value, error, exceptions} =
      JSON.parse(await this.#page.call(method, JSON.stringify(parameters)));
    this.exceptions.push(...exceptions);
    if (error !== undefined) throw new Error(error);
    return value;
  }

  heapBytes() {
    return this.#page.heapBytes();
  }

  screenshot(path) {
    return this.#page.screenshot(path);
  }

  close() {
    return this.#page.close();
  }
}
