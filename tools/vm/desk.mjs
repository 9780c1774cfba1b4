// Where a browser runs that has no headless way to draw: a home folder and a screen of its own. What
// is started here ends with this process, however that ends: a page that never gives way heeds
// no request.

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {HostLost} from './failure.mjs';
import {programPath} from './packages.mjs';

const kLastWords = 500;

export class Desk {
  home = mkdtempSync(join(tmpdir(), 'sb3lm-browser-'));
  /** Rejects when a program of the desk ends; nothing on it ends by itself. */
  broken;
  #environment;
  #children = [];
  #break;

  /** `cure` is the command that installs the screen. */
  static async open(cure) {
    const xvfb = programPath('Xvfb', 'SB3LM_XVFB', ['/usr/bin/Xvfb'], cure);
    const desk = new Desk();
    const screen = desk.start(xvfb,
      ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp']);
    try {
      const [display] = await Promise.race([once(screen.stdout, 'data'), desk.broken]);
      desk.#environment.DISPLAY = `:${String(display).trim()}`;
      return desk;
    } catch (error) {
      desk.close();
      throw error;
    }
  }

  constructor() {
    // Nothing of the user's session: settings, running browsers, services for accessibility.
    this.#environment = {PATH: process.env.PATH, HOME: this.home, LANG: 'C.UTF-8',
      GDK_BACKEND: 'x11', GSETTINGS_BACKEND: 'memory', NO_AT_BRIDGE: '1'};
    this.broken = new Promise((_, reject) => { this.#break = reject; });
    this.broken.catch(() => {});
    process.on('exit', this.close);
  }

  start(program, options) {
    // Its own process group, for close() to end all of it; the signal of setpriv is for the case
    // that close() is never called.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...options],
      {detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: this.#environment});
    let words = '';
    child.stdout.resume();
    child.stderr.on('data', (text) => { words = (words + text).slice(-kLastWords); });
    child.on('error', (error) => this.#break(new HostLost(`setpriv: ${error.message}`)));
    child.on('close', () => this.#break(new HostLost(`${program} ended: ${words.trim()}`)));
    this.#children.push(child);
    return child;
  }

  close = () => {
    process.off('exit', this.close);
    for (const child of this.#children) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    rmSync(this.home, {recursive: true, force: true, maxRetries: 5});
  };
}
