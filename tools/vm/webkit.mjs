// WebKit, the engine of Safari, as WebKitGTK's own small browser; its driver speaks WebDriver over HTTP.

import {once} from 'node:events';
import {request} from 'node:http';
import {createServer} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

import {programPath} from './packages.mjs';
import {kCapabilities, WebDriverBrowser} from './webdriver.mjs';

const kCure = 'tools/setup --webkit';
const kPollMs = 50;

const kAddresses = {
  Navigate: 'url',
  ExecuteScript: 'execute/sync',
  ExecuteAsyncScript: 'execute/async',
};

/** Asks without a time limit, which fetch() would have: a reply of a model may take many minutes. */
async function ask(port, method, path, body) {
  const asked = request({host: '127.0.0.1', port, method, path, agent: false});
  asked.end(body && JSON.stringify(body));
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  const {value} = JSON.parse(text);
  if (response.statusCode !== 200) throw new Error(value.message);
  return value;
}

class WebKitDriver {
  version;
  takesPictures = false;  // what WebGL draws is black in them
  #port;
  #session;

  constructor(port, {sessionId, capabilities}) {
    this.#port = port;
    this.#session = `/session/${sessionId}`;
    this.version = capabilities.browserVersion;
  }

  send(command, parameters) {
    return ask(this.#port, 'POST', `${this.#session}/${kAddresses[command]}`, parameters);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port) {
  for (;;) {
    try {
      return await ask(port, 'GET', '/status');
    } catch (error) {
      if (error.code !== 'ECONNREFUSED') throw error;
    }
    await sleep(kPollMs, null, {ref: false});
  }
}

async function start(driver, browser, desk) {
  const port = await freePort();
  desk.start(driver, ['--host=127.0.0.1', `--port=${port}`]);
  await listening(port);
  return new WebKitDriver(port, await ask(port, 'POST', '/session', {capabilities: {alwaysMatch: {
    ...kCapabilities, 'webkitgtk:browserOptions': {binary: browser, args: ['--automation']},
  }}}));
}

export async function launchWebKit() {
  const driver = programPath('WebKitWebDriver', 'SB3LM_WEBKIT_DRIVER', ['/usr/bin/WebKitWebDriver'],
    kCure);
  const browser = programPath("WebKitGTK's MiniBrowser", 'SB3LM_WEBKIT',
    ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`),
    kCure);
  return WebDriverBrowser.start('WebKitGTK', kCure, (desk) => start(driver, browser, desk));
}
