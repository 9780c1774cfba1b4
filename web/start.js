// Starts workers with the program. No module, so that the first one starts at once: in the one file
// (assemble.mjs) while the browser still reads the rest. Workers take their time to come.
'use strict';

{
  const inside = (name) => document.getElementById(`asset:${name}`)?.textContent;

  const scripts = inside('worker.js') && ['sb3lm_page.js', 'packed.js', 'worker.js'].map(inside).join('\n');
  const address = scripts ? URL.createObjectURL(new Blob([scripts], {type: 'text/javascript'})) : 'worker.js';

  // `started` gives the compiled module, from which the next worker starts at once.
  const newWorker = () => {
    const worker = new Worker(address);
    const started = new Promise((done, fail) => {
      worker.onmessage = ({data: {result, failure}}) =>
        (failure === undefined ? done(result.module) : fail(new Error(failure)));
      worker.onerror = ({message}) => fail(new Error(message ?? ''));
    });
    started.catch(() => {});  // whoever asks for something hears of it
    return {worker, started};
  };
  const begin = (start, program) => {
    start.worker.postMessage({call: 'start', ...program});
    return start;
  };

  const first = newWorker();
  globalThis.sb3lmWorkers = {
    first,
    programHasCome: () => begin(first, {packed: inside('sb3lm_page.wasm')}),
    another: (module) => begin(newWorker(), module ? {module} : {packed: inside('sb3lm_page.wasm')}),
  };
}
