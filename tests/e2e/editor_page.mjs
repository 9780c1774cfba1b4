// Scratch's editor in headless Chromium, served from this machine and used as a person does: a
// project is loaded by the menu, the flag and the sprites are clicked.

import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

import {kRoot} from './support.mjs';
import {launchChromium} from '../../tools/vm/browser_host.mjs';
import {missing} from '../../tools/vm/failure.mjs';
import {PageServer} from '../../tools/vm/page_server.mjs';

const kDist = join(kRoot, 'tools/editor/node_modules/@scratch/scratch-gui-standalone/dist');
const kTimeout = 600_000;  // a slow project on a busy machine freezes the page for minutes

function servedFiles() {
  if (!existsSync(kDist)) throw missing("Scratch's editor", 'tools/setup --editor');
  const files = {'/editor.html': join(kRoot, 'tests/e2e/editor.html')};
  for (const entry of readdirSync(kDist, {recursive: true})) {
    files[`/dist/${entry}`] = join(kDist, entry);
  }
  return files;
}

// In the page: an editor that needs no other server.
function openEditor() {
  const {GUI} = window;
  const scratchStorage = new GUI.ScratchStorage();
  const {builtinHelper, AssetType, DataFormat} = scratchStorage;
  for (const {assetType, dataFormat, data, id} of GUI.buildDefaultProject(({defaultMessage}) => defaultMessage)) {
    builtinHelper._store(AssetType[assetType], DataFormat[dataFormat], data, id);
  }
  const state = new GUI.EditorState({}, () => ({storage: {scratchStorage}}));
  const place = document.getElementById('editor');
  GUI.setAppElement(place);
  GUI.createStandaloneRoot(state, place).render({projectId: '0', basePath: '/dist/'});
  const parts = () => state.store.getState().scratchGui;
  window.editor = {
    vm: () => parts().vm,
    isIdle: () => parts().projectState.loadingState.startsWith('SHOWING') && !parts().modals.loadingProject,
    opened: () => parts().vm.editingTarget?.sprite.name,
    status: () => Object.values(parts().vm.runtime.getTargetForStage().variables)
      .find(({name}) => name === 'status')?.value,
  };
}

export class EditorPage {
  #server;
  #chromium;
  #page;

  static async open() {
    const editor = new EditorPage();
    editor.#server = await PageServer.start(servedFiles());
    try {
      editor.#chromium = await launchChromium();
      const page = await editor.#chromium.newPage({viewport: {width: 1280, height: 800}});
      page.setDefaultTimeout(kTimeout);
      editor.#page = page;
      const {origin} = editor.#server;
      await page.route((url) => url.origin !== origin && /^http/.test(url.protocol), (route) => route.abort());
      await page.goto(`${origin}/editor.html`);
      await page.evaluate(openEditor);
      await page.waitForFunction(() => window.editor.isIdle());
    } catch (error) {
      await editor.close();
      throw error;
    }
    return editor;
  }

  /** Seconds until the project can be used. */
  async load(file) {
    const page = this.#page;
    const chosen = page.waitForEvent('filechooser');
    await page.getByText('File', {exact: true}).click();
    await page.getByText('Load from your computer').click();
    const chooser = await chosen;
    await page.evaluate(() => {
      window.before = window.editor.vm().runtime.getTargetForStage();
    });
    return this.#seconds(() => chooser.setFiles(file),
      () => window.editor.vm().runtime.getTargetForStage() !== window.before && window.editor.isIdle());
  }

  /** Seconds until the project says that it is ready, or has begun if it never says so. */
  clickFlag() {
    return this.#seconds(() => this.#page.getByTitle('Go', {exact: true}).click(),
      () => ['ready', undefined].includes(window.editor.status()));
  }

  /** Seconds until the editor shows the sprite's blocks. */
  clickSprite(name) {
    return this.#seconds(() => this.#page.getByText(name, {exact: true}).first().click(),
      (wanted) => window.editor.opened() === wanted, name);
  }

  opened() {
    return this.#page.evaluate(() => window.editor.opened());
  }

  picture(path) {
    return this.#page.screenshot({path});
  }

  async #seconds(act, done, argument) {
    const start = performance.now();
    await act();
    await this.#page.waitForFunction(done, argument, {polling: 50});
    // What is still to be drawn counts too.
    await this.#page.evaluate(() => new Promise((go) => {
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go)));
    }));
    return (performance.now() - start) / 1000;
  }

  async close() {
    this.#server.close();
    await this.#chromium?.close();
  }
}
