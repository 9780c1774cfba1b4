// Starts workers with the program. No module, so that the first one starts at once: in the one file
// (assemble.mjs) as soon as the program has come, while the rest is still being read.
'use strict';

{
  const inside = (name) => document.getElementById(`asset:${name}`)?.textContent;

  const packed = inside('sb3lm_page.wasm');
  const scripts = packed && ['sb3lm_page.js', 'packed.js', 'worker.js'].map(inside).join('\n');
  const address = packed ? URL.createObjectURL(new Blob([scripts], {type: 'text/javascript'})) : 'worker.js';

  // `started` gives the compiled module, from which the next worker starts at once.
  const startWorker = (module) => {
    const worker = new Worker(address);
    const started = new Promise((done, fail) => {
      worker.onmessage = ({data: {result, failure}}) =>
        (failure === undefined ? done(result.module) : fail(new Error(failure)));
      worker.onerror = ({message}) => fail(new Error(message ?? ''));
    });
    started.catch(() => {});  // whoever asks for something hears of it
    worker.postMessage({call: 'start', module, packed: module ? undefined : packed});
    return {worker, started};
  };

  globalThis.sb3lmWorkers = {startWorker, first: startWorker()};
}
