// In the page: opens the machine and answers the harness's calls. Both ways travel as JSON text,
// because a million numbers pass the debugging protocol quickly as one string, slowly as a list.

import {openMachine} from './page_machine.mjs';
import {textOf} from './failure.mjs';
import {Session} from './session.mjs';

let machine;
let session;

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(script);
  });
}

const actions = {
  async open(request, scripts) {
    for (const address of scripts) await loadScript(address);
    machine = await openMachine(request);
    session = new Session(machine.vm, request.done_variable);
  },
  async load(address) {
    const response = await fetch(address);
    await machine.loadProject(await response.arrayBuffer());
  },
  // What the machine would save now, as base64.
  async save() {
    const blob = await machine.vm.saveProjectSb3();
    const url = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
    return url.slice(url.indexOf(',') + 1);
  },
  // What TurboWarp's editor does every few minutes, while the project stands still.
  restorePoint() {
    const start = performance.now();
    const files = machine.vm.saveProjectSb3DontZip();
    return {seconds: (performance.now() - start) / 1000, bytes: files['project.json'].length};
  },
};

async function answer(method, parameters) {
  const action = actions[method] ?? ((...given) => session[method](...given));
  try {
    return {value: (await action(...JSON.parse(parameters))) ?? null};
  } catch (error) {
    return {error: textOf(error)};
  }
}

window.harness = async (method, parameters) => JSON.stringify({
  ...await answer(method, parameters), exceptions: window.thrown.splice(0).map(textOf),
});
