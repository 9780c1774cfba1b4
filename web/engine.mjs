// The program's worker as functions that give promises. Cancelling ends the worker, which no program
// can refuse, and starts another one: what was open is gone.

/* global sb3lmWorkers */

export class Cancelled extends Error {}
/** A mistake of the program, or no memory. */
export class Broken extends Error {}

export class Engine {
  onProgress = () => {};
  onText = () => {};
  #module = null;   // compiled, once a worker has done it
  #worker = null;   // the one that runs
  #ready = this.#start(sb3lmWorkers.first);  // a promise of it, once it has started
  #waiting = new Map();
  #last = 0;

  constructor() {
    this.#ready.catch(() => {});  // whoever asks for something hears of it
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
    this.#ready ??= this.#start(sb3lmWorkers.another(this.#module));
    return this.#post(await this.#ready, call, more);
  }

  #post(worker, call, more) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      worker.postMessage({id, call, ...more});
    });
  }

  async #start({worker, started}) {
    this.#worker = worker;
    this.#module = await started.catch(({message}) => { throw new Broken(message); });
    worker.onmessage = ({data}) => this.#hear(data);
    worker.onerror = (event) => this.#end(new Broken(event.message ?? ''));
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
