// Drives one project in one virtual machine: load, green flag, broadcasts, results.
// The same file runs in Node and in pages and relies only on what scratch-vm and TurboWarp share.
// It has no time limits: the caller sets them, since a busy page cannot stop itself.

import {hexOfDouble, taggedValue} from './doubles.mjs';
import {findList, findVariable, needList, needVariable} from './names.mjs';
import {TokenClock} from './token_clock.mjs';

const kThreadDone = 4;
const kMonitorPollMs = 10;
const kStepsToAnswer = 3;  // until a script that was sent a message has changed the status

export class Session {
  #vm;
  #done;
  #clock = null;
  #afterStep = () => {};
  #steps = [];  // who waits for the next one
  #compileErrors = [];

  /** `done` is {name, value}: which variable says by which value that a script has finished. */
  constructor(vm, done) {
    this.#vm = vm;
    this.#done = done;
    vm.on('COMPILE_ERROR', (target, error) => {
      this.#compileErrors.push(`${target?.getName?.() ?? '?'}: ${error?.message ?? error}`);
    });
    const sequencer = vm.runtime.sequencer;
    const step = sequencer.stepThread;
    sequencer.stepThread = (thread) => {
      step.call(sequencer, thread);
      this.#afterStep();
    };
    const stepAll = sequencer.stepThreads;
    sequencer.stepThreads = () => {
      const done = stepAll.call(sequencer);
      for (const goOn of this.#steps.splice(0)) goOn();
      return done;
    };
  }

  /** Seconds from the click on the flag until the project says it is ready, or has an error. */
  async start() {
    this.#statusVariable();  // fails early, by name
    const began = performance.now();
    const wasBusy = !this.#isDone();
    this.#vm.start();
    this.#vm.greenFlag();
    const scripts = this.#vm.runtime.threads.filter((thread) => !thread.updateMonitor);
    await this.#finished(scripts, wasBusy);
    return {seconds: (performance.now() - began) / 1000, status: this.#status()};
  }

  /** Messages one after the other, `apart` steps between them, until what they ask for is done. */
  async #sendAll(run) {
    for (const [index, name] of run.send.entries()) {
      if (index > 0) await this.#stepOn(run.apart);
      this.#act(name);
    }
    await this.#stepOn(kStepsToAnswer);
    await this.#finished([], true);
  }

  #act(name) {
    if (name === 'flag') return this.#vm.greenFlag();
    if (name === 'stop sign') return this.#vm.stopAll();
    return this.#broadcast(name);
  }

  async #stepOn(steps) {
    for (let i = 0; i < steps; ++i) await new Promise((resolve) => this.#steps.push(resolve));
  }

  async perform(run) {
    this.#setInputs(run);
    if (run.send) {
      this.#clock = new TokenClock(findList(this.#vm.runtime, 'output tokens'));
      const sent = performance.now();
      await this.#sendAll(run);
      return this.#report(run, (performance.now() - sent) / 1000);
    }
    this.#clock = new TokenClock(findList(this.#vm.runtime, 'output tokens'));
    const began = performance.now();
    const scripts = this.#broadcast(run.broadcast);
    let second = run.then;
    await this.#finished(scripts, false, () => {
      if (!second || this.#clock.count < second.after_tokens) return;
      const name = second.broadcast;
      second = null;
      this.#broadcast(name);
    });
    return this.#report(run, (performance.now() - began) / 1000);
  }

  /** `raw` gives plain JSON values: easier to read, but -0, NaN and infinities are lost. */
  read({read_lists, read_variables, raw}) {
    const runtime = this.#vm.runtime;
    const write = raw ? (value) => value : taggedValue;
    const lists = {};
    const variables = {};
    for (const name of read_lists) lists[name] = needList(runtime, name).value.map(write);
    for (const name of read_variables) variables[name] = write(needVariable(runtime, name).value);
    return {lists, variables};
  }

  compileErrors() {
    return this.#compileErrors;
  }

  /** Where a project stands, for the message about a time limit. */
  describe() {
    const variable = findVariable(this.#vm.runtime, this.#done.name);
    const faults = this.#compileErrors.map((text) => `; compile error: ${text}`).slice(0, 3).join('');
    return `${this.#done.name} is '${variable?.value}', ${this.#clock?.count ?? 0} tokens${faults}`;
  }

  #statusVariable() {
    return needVariable(this.#vm.runtime, this.#done.name);
  }

  #status() {
    return String(this.#statusVariable().value);
  }

  #isDone() {
    const status = this.#status();
    return status === this.#done.value || status === 'unloaded' || status.startsWith('error');
  }

  // A status left over from before must not count: either it was seen busy since, or every
  // script has come to its end. Nothing is written to the variable, projects may read it.
  #finished(scripts, wasBusy, onStep = () => {}) {
    const runtime = this.#vm.runtime;
    const hasEnded = (thread) =>
      thread.status === kThreadDone || !runtime.threads.includes(thread);
    return new Promise((resolve, reject) => {
      let busy = wasBusy;
      const look = () => {
        try {
          this.#clock?.tick();
          onStep();
          if (!this.#isDone()) {
            busy = true;
          } else if (busy || scripts.every(hasEnded)) {
            finish(resolve);
          }
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const poll = setInterval(look, kMonitorPollMs);
      const finish = (settle) => {
        clearInterval(poll);
        this.#afterStep = () => {};
        settle();
      };
      this.#afterStep = look;
    });
  }

  #broadcast(name) {
    const scripts = this.#vm.runtime.startHats('event_whenbroadcastreceived',
      {BROADCAST_OPTION: name}) ?? [];
    if (scripts.length === 0) throw new Error(`no script of the project receives '${name}'`);
    return scripts;
  }

  #setInputs(run) {
    const runtime = this.#vm.runtime;
    if (run.tokens) {
      const list = needList(runtime, 'prompt tokens');
      list.value = run.tokens.slice();
      list._monitorUpToDate = false;
    }
    const settings = {...run.set};
    if (run.user_message !== undefined) settings['user message'] = run.user_message;
    for (const [name, value] of Object.entries(settings)) needVariable(runtime, name).value = value;
  }

  #report(run, seconds) {
    const runtime = this.#vm.runtime;
    const items = (name) => findList(runtime, name)?.value ?? [];
    const transcript = items('transcript').map(String);
    const stopReason = findVariable(runtime, 'stop reason');
    this.#clock.tick();
    return {
      status: this.#status(),
      stop_reason: stopReason ? String(stopReason.value) : null,
      tokens: items('output tokens').map(Number),
      text: transcript.at(-1) ?? null,
      transcript,
      logits: items('logits').map(run.raw ? Number : (logit) => hexOfDouble(Number(logit))),
      token_ms: this.#clock.intervals(),
      seconds,
      ...this.read(run),
    };
  }
}
