// scratch-vm inside this Node process.
// Its scripts give way every 500 ms at most, so time limits work without a second process.

import {readFileSync} from 'node:fs';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

import {packageVersion, requirePackage} from './packages.mjs';
import {textOf} from './failure.mjs';
import {Session} from './session.mjs';

// Memory is measured after a collection; the collector is hidden unless asked for.
function collectGarbage() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

export class NodeHost {
  version = packageVersion('scratch-vm');
  browser = null;
  takesPictures = false;
  #VirtualMachine;
  #Storage;

  static async start() {
    return new NodeHost();
  }

  constructor() {
    this.#VirtualMachine = requirePackage('scratch-vm');
    this.#Storage = requirePackage('scratch-storage').ScratchStorage;
    // scratch-vm logs to stdout, which belongs to the result.
    requirePackage('minilog').disable();
    // The pen's blocks have names to translate, which matter to an editor only.
    requirePackage('format-message').setup({missingTranslation: 'ignore'});
  }

  async open(file, request) {
    const vm = new this.#VirtualMachine();
    vm.attachStorage(new this.#Storage());
    vm.setTurboMode(request.turbo);
    return new NodeProject(vm, file, request.done_variable);
  }

  async close() {}
}

class NodeProject {
  exceptions = [];
  #vm;
  #session;
  #file;
  #note = (error) => this.exceptions.push(textOf(error));

  constructor(vm, file, done) {
    this.#vm = vm;
    this.#session = new Session(vm, done);
    this.#file = file;
    // Blocks run from a timer, so what they throw has no caller to catch it.
    process.on('uncaughtException', this.#note);
    process.on('unhandledRejection', this.#note);
  }

  async load() {
    await this.#vm.loadProject(readFileSync(this.#file));
  }

  async call(method, ...parameters) {
    return this.#session[method](...parameters);
  }

  async heapBytes() {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  }

  async close() {
    this.#vm.quit();
    process.off('uncaughtException', this.#note);
    process.off('unhandledRejection', this.#note);
  }
}
