// The program's worker as functions that give promises. Cancelling ends the worker, which no program
// can refuse, and starts another one: what was open is gone.

import {asset} from 'sb3lm/assets.mjs';

export class Cancelled extends Error {}
/** A mistake of the program, or no memory. */
export class Broken extends Error {}

export class Engine {
  onProgress = () => {};
  onText = () => {};
  #parts = this.#load();  // what every worker starts from
  #worker = null;   // the one that runs
  #ready = null;    // a promise of it, once it has started
  #waiting = new Map();
  #last = 0;

  constructor() {
    this.#parts.catch(() => {});  // whoever asks for something hears of it
  }

  /** Answers as worker.js has them. */
  mount(files) { return this.#ask('mount', {files}); }
  open(words) { return this.#ask('open', {words}); }
  command(words) { return this.#ask('command', {words}); }
  take(name) { return this.#ask('take', {name}); }
  say(text) { return this.#ask('say', {text}); }
  reset() { return this.#ask('reset'); }

  /** Ends the reply that is being made. */
  stop() {
    this.#worker?.postMessage({call: 'stop'});
  }

  /** Ends everything; whoever waits gets Cancelled. */
  cancel() {
    this.#end(new Cancelled());
  }

  #end(reason) {
    this.#worker?.terminate();
    this.#worker = this.#ready = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const {reject} of waiting) reject(reason);
  }

  async #ask(call, more = {}) {
    this.#ready ??= this.#start();
    return this.#post(await this.#ready, call, more);
  }

  #post(worker, call, more) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      worker.postMessage({id, call, ...more});
    });
  }

  async #load() {
    const [glue, code, wasm] =
      await Promise.all(['sb3lm_page.js', 'worker.js', 'sb3lm_page.wasm'].map(asset));
    return {
      script: URL.createObjectURL(new Blob([glue, '\n', code], {type: 'text/javascript'})),
      wasm: await WebAssembly.compile(wasm),
    };
  }

  async #start() {
    const {script, wasm} = await this.#parts;
    const worker = this.#worker = new Worker(script);
    worker.onmessage = ({data}) => this.#hear(data);
    worker.onerror = (event) => this.#end(new Broken(event.message ?? ''));
    await this.#post(worker, 'start', {wasm});
    return worker;
  }

  #hear({id, event, result, failure, ...more}) {
    if (event === 'progress') return this.onProgress(more);
    if (event === 'text') return this.onText(more.text);
    const {resolve, reject} = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (failure === undefined) return resolve?.(result);
    reject?.(new Broken(failure));
    this.#end(new Broken(failure));  // nobody knows in what state it is
  }
}
