// Firefox, driven over Marionette: the WebDriver commands it was built with, as JSON on a socket.

import {once} from 'node:events';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

import {programPath} from './packages.mjs';
import {kCapabilities, WebDriverBrowser} from './webdriver.mjs';

const kCure = 'tools/setup --firefox';
const kPollMs = 50;
// A port that is free; a software renderer is good enough to draw.
const kSettings = {'marionette.port': 0, 'webgl.force-enabled': true};

/** Packets are `LENGTH:JSON`; a command is [0, number, name, parameters], its answer [1, number, error, result]. */
class Marionette {
  version;
  takesPictures = true;
  #socket;
  #received = Buffer.alloc(0);
  #waiting = [];

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', () => {});  // the end of the browser, which its desk reports
  }

  async send(command, parameters) {
    const number = this.#waiting.length;
    const answer = new Promise((resolve) => { this.#waiting[number] = resolve; });
    const packet = Buffer.from(JSON.stringify([0, number, `WebDriver:${command}`, parameters]));
    this.#socket.write(Buffer.concat([Buffer.from(`${packet.length}:`), packet]));
    const [, , error, result] = await answer;
    if (error) throw new Error(error.message);
    // Some results are wrapped in an object, some are not.
    return result !== null && Object.keys(result).join() === 'value' ? result.value : result;
  }

  #receive(bytes) {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const start = this.#received.indexOf(':') + 1;
      const end = start + Number(this.#received.subarray(0, start - 1));
      if (start === 0 || this.#received.length < end) return;
      const packet = JSON.parse(this.#received.subarray(start, end));
      this.#received = this.#received.subarray(end);
      // The first packet greets and answers nothing.
      if (Array.isArray(packet)) this.#waiting[packet[1]](packet);
    }
  }
}

/** The port that Firefox chose, once it listens there. */
async function portOf(profile) {
  for (;;) {
    try {
      const port = Number(readFileSync(join(profile, 'MarionetteActivePort'), 'utf8'));
      if (port > 0) return port;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    await sleep(kPollMs, null, {ref: false});
  }
}

async function start(program, desk) {
  const profile = join(desk.home, 'profile');
  mkdirSync(profile);
  writeFileSync(join(profile, 'user.js'), Object.entries(kSettings)
    .map(([name, value]) => `user_pref("${name}", ${value});\n`).join(''));
  desk.start(program, ['--marionette', '--no-remote', '--profile', profile, 'about:blank']);
  const socket = connect(await portOf(profile), '127.0.0.1');
  await once(socket, 'connect');
  const driver = new Marionette(socket);
  const {capabilities} = await driver.send('NewSession', kCapabilities);
  driver.version = capabilities.browserVersion;
  return driver;
}

export async function launchFirefox() {
  const program = programPath('Firefox', 'SB3LM_FIREFOX',
    ['/usr/bin/firefox-esr', '/usr/bin/firefox'], kCure);
  return WebDriverBrowser.start('Firefox', kCure, (desk) => start(program, desk));
}
