// Finds a project's variables and lists by name. Runs in Node and in pages.
// The stage is asked first, then the sprites in order, so public names win over private ones.

const kScalar = '';
const kList = 'list';

function find(runtime, name, type) {
  const originals = runtime.targets.filter((target) => target.isStage || target.isOriginal);
  originals.sort((a, b) => Number(b.isStage) - Number(a.isStage));
  for (const target of originals) {
    for (const variable of Object.values(target.variables)) {
      if (variable.name === name && variable.type === type) return variable;
    }
  }
  return null;
}

function need(variable, kind, name) {
  if (!variable) throw new Error(`the project has no ${kind} '${name}'`);
  return variable;
}

export const findVariable = (runtime, name) => find(runtime, name, kScalar);
export const findList = (runtime, name) => find(runtime, name, kList);
export const needVariable = (runtime, name) => need(findVariable(runtime, name), 'variable', name);
export const needList = (runtime, name) => need(findList(runtime, name), 'list', name);
