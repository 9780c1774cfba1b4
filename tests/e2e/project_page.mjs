// A packaged project in headless Chromium, as a person has it: mouse, keyboard and what the stage's
// public names say. Whatever the page asks the network for, and whatever goes wrong in it, is kept.

import {pathToFileURL} from 'node:url';

/** A phone held upright: there the page puts the conversation below the stage. */
export const kPhone = {viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true};
const kPanelHeight = 60;  // of the text box below the stage (tools/vm/chat_panel.css)
const kDesk = {viewport: {width: 480, height: 360 + kPanelHeight}};
const kWidth = 480;
const kHeight = 360;
const kTimeout = 120_000;

// In the page: looks names up, and stops the clock when the reply has a given number of tokens, since
// a reply may take less time than a picture of it.
function watch() {
  const find = (name, type) => {
    for (const target of window.vm.runtime.targets) {
      for (const variable of Object.values(target.variables)) {
        if (variable.name === name && variable.type === type) return variable;
      }
    }
    throw new Error(`the project has no '${name}'`);
  };
  let output = null;
  let status = null;
  const page = {
    holdAt: Infinity,
    variable: (name) => find(name, '').value,
    list: (name) => find(name, 'list').value.slice(),
    look() {
      output ??= find('output tokens', 'list');
      status ??= find('status', '');
      const count = output.value.length;
      // Until a request begins, the list holds the reply before.
      if (count < page.holdAt || status.value !== 'thinking') return;
      page.holdAt = Infinity;
      window.vm.runtime.stop();
      window.vm.runtime.redrawRequested = true;  // ends the frame too
      page.held = true;
    },
  };
  window.project = page;
  // After every step of every script: a frame may hold many tokens.
  const {sequencer} = window.vm.runtime;
  const step = sequencer.stepThread;
  sequencer.stepThread = (thread) => {
    step.call(sequencer, thread);
    page.look();
  };
}

export class ProjectPage {
  complaints = [];
  requests = [];
  #page;
  #inspector = null;

  /** Pictures are `sharpness` times as large as the stage; drawing that takes time. */
  static async open(chromium, html, sharpness = 1, screen = kDesk) {
    const context = await chromium.newContext({
      ...screen, deviceScaleFactor: sharpness, offline: true,
    });
    const opened = new ProjectPage(await context.newPage());
    await opened.#listen();
    await opened.#page.goto(pathToFileURL(html).href, {timeout: kTimeout});
    // Not as an init script: those also run in the player's sandboxed frames, and are blocked there.
    await opened.#page.waitForFunction(() => window.vm);
    await opened.#page.evaluate(watch);
    return opened;
  }

  constructor(page) {
    this.#page = page;
    page.setDefaultTimeout(kTimeout);
  }

  async #listen() {
    const page = this.#page;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    await page.route(/^(?!file:|data:|blob:)/, (route) => {
      this.requests.push(route.request().url());
      return route.abort();
    });
  }

  title() {
    return this.#page.title();
  }

  variable(name) {
    return this.#page.evaluate((wanted) => window.project.variable(wanted), name);
  }

  list(name) {
    return this.#page.evaluate((wanted) => window.project.list(wanted), name);
  }

  async whenStatus(status) {
    await this.#page.waitForFunction((wanted) => window.vm?.runtime.targets.length > 0 &&
      window.project.variable('status') === wanted, status);
  }

  /** Stops the clock as soon as the reply has so many tokens; call before asking. */
  holdAt(tokens) {
    return this.#page.evaluate((count) => Object.assign(window.project, {holdAt: count, held: false}),
      tokens);
  }

  async whenHeld() {
    await this.#page.waitForFunction(() => window.project.held);
  }

  goOn() {
    return this.#page.evaluate(() => window.vm.runtime.start());
  }

  /** Makes the page's processor that many times slower; 1: as it is. */
  async slowDown(times) {
    this.#inspector ??= await this.#page.context().newCDPSession(this.#page);
    await this.#inspector.send('Emulation.setCPUThrottlingRate', {rate: times});
  }

  // Where a place of the stage lies in the page.
  async #pageOf({x, y}) {
    const stage = await this.#page.locator('canvas').first().boundingBox();
    return [stage.x + (kWidth / 2 + x) * (stage.width / kWidth),
      stage.y + (kHeight / 2 - y) * (stage.height / kHeight)];
  }

  /** Stage coordinates. */
  async click(x, y) {
    await this.#page.mouse.click(...await this.#pageOf({x, y}));
  }

  async drag(from, to) {
    const {mouse} = this.#page;
    await mouse.move(...await this.#pageOf(from));
    await mouse.down();
    await mouse.move(...await this.#pageOf(to), {steps: 4});
    // The project looks at the mouse once a frame.
    await this.frames(6);
    await mouse.up();
    await this.frames(3);
  }

  async press(key) {
    await this.#page.keyboard.press(key, {delay: 60});
    await this.frames(3);
  }

  /** Into the page's text box, which has the focus while the project asks. */
  async type(text) {
    await this.#page.waitForSelector('#message:focus');
    await this.#page.keyboard.type(text);
  }

  /** A finger from one place of the stage to another. */
  async swipe(from, to) {
    this.#inspector ??= await this.#page.context().newCDPSession(this.#page);
    const touch = async (type, place) => {
      const [x, y] = await this.#pageOf(place);
      const touchPoints = type === 'touchEnd' ? [] : [{x, y}];
      await this.#inspector.send('Input.dispatchTouchEvent', {type, touchPoints});
      await this.frames(3);
    };
    await touch('touchStart', from);
    await touch('touchMove', {x: (from.x + to.x) / 2, y: (from.y + to.y) / 2});
    await touch('touchMove', to);
    await touch('touchEnd', to);
  }

  /** The page's own elements, beside the stage. */
  element(selector) {
    return this.#page.locator(selector);
  }

  frames(count) {
    return this.#page.evaluate((frames) => new Promise((resolve) => {
      const next = (left) => (left > 0 ? requestAnimationFrame(() => next(left - 1)) : resolve());
      next(frames * 2);  // the project's frames are half as many
    }), count);
  }

  async until(what, check) {
    for (const end = Date.now() + kTimeout; ;) {
      if (await check()) return;
      if (Date.now() > end) throw new Error(`never: ${what}`);
      await this.#page.waitForTimeout(20);
    }
  }

  picture(path) {
    return this.#page.screenshot({path});
  }

  close() {
    return this.#page.context().close();
  }
}
