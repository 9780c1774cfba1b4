// Writes small projects that keep the names of a real one, for the harness's own test.
// A script is a list of blocks; an input is a reporter, {script: [...]} or a ready sb3 array.

import {createRequire} from 'node:module';

const JSZip = createRequire(new URL('../../tools/package.json', import.meta.url))('jszip');

const kBackdrop =
  '<svg xmlns="http://www.w3.org/2000/svg" width="480" height="360"><rect width="480" height="360" fill="#dce9f5"/></svg>';
const kBackdropId = '0123456789abcdef0123456789abcdef';

const kVariables = {
  status: 'not loaded', 'stop reason': '', 'user message': '', 'max new tokens': 256, at: 0,
};
const kLists = ['prompt tokens', 'output tokens', 'logits', 'transcript'];

const id = (name) => name.replaceAll(' ', '_');

export const text = (value) => [1, [10, String(value)]];
export const variable = (name) => [3, [12, name, id(name)], [10, '']];
export const block = (opcode, inputs = {}, fields = {}) => ({opcode, inputs, fields});
export const set = (name, value) => block('data_setvariableto', {VALUE: value}, {VARIABLE: [name, id(name)]});
export const list = (opcode, name, inputs = {}) => block(opcode, inputs, {LIST: [name, id(name)]});

function inputOf(blocks, value, parent) {
  if (Array.isArray(value)) return value;
  if (value.script) return [2, place(blocks, value.script, parent)];
  const inner = place(blocks, [value], parent);
  if (value.opcode !== 'procedures_prototype') return [3, inner, [10, '']];
  blocks[inner].shadow = true;
  return [1, inner];
}

/** Gives ids to a script's blocks and links them; returns the first one's id. */
function place(blocks, script, parent = null) {
  const ids = script.map((_, index) => `b${Object.keys(blocks).length}_${index}`);
  script.forEach((entry, index) => {
    const self = ids[index];
    blocks[self] = {opcode: entry.opcode, next: ids[index + 1] ?? null,
      parent: index === 0 ? parent : ids[index - 1], inputs: {}, fields: entry.fields,
      shadow: false, topLevel: index === 0 && parent === null,
      ...(index === 0 && parent === null ? {x: 0, y: 0} : {}),
      ...(entry.mutation ? {mutation: entry.mutation} : {})};
  });
  script.forEach((entry, index) => {
    for (const [name, value] of Object.entries(entry.inputs)) {
      blocks[ids[index]].inputs[name] = inputOf(blocks, value, ids[index]);
    }
  });
  return ids[0];
}

export const whenFlag = (...script) => [block('event_whenflagclicked'), ...script];
export const whenReceived = (message, ...script) =>
  [block('event_whenbroadcastreceived', {}, {BROADCAST_OPTION: [message, id(message)]}), ...script];

/** A procedure without parameters that runs without screen refresh, and the block that calls it. */
export function warpProcedure(name, ...script) {
  const mutation = {tagName: 'mutation', children: [], proccode: name, argumentids: '[]', warp: 'true'};
  const prototype = block('procedures_prototype');
  prototype.mutation = {...mutation, argumentnames: '[]', argumentdefaults: '[]'};
  const call = block('procedures_call');
  call.mutation = mutation;
  return {definition: [block('procedures_definition', {custom_block: prototype}), ...script], call};
}

/** The bytes of a project whose stage has these scripts. */
export async function tinyProject(scripts) {
  const blocks = {};
  for (const script of scripts) place(blocks, script);
  const stage = {
    isStage: true, name: 'Stage', currentCostume: 0, volume: 100, layerOrder: 0, tempo: 60,
    videoTransparency: 50, videoState: 'off', textToSpeechLanguage: null,
    variables: Object.fromEntries(Object.entries(kVariables).map(([name, value]) => [id(name), [name, value]])),
    lists: Object.fromEntries(kLists.map((name) => [id(name), [name, []]])),
    broadcasts: {generate: 'generate', chat: 'chat', stop: 'stop'}, comments: {}, sounds: [], blocks,
    costumes: [{name: 'backdrop', assetId: kBackdropId, dataFormat: 'svg',
      md5ext: `${kBackdropId}.svg`, rotationCenterX: 240, rotationCenterY: 180}],
  };
  const monitor = {id: 'status', mode: 'default', opcode: 'data_variable', params: {VARIABLE: 'status'},
    spriteName: null, value: '', width: 0, height: 0, x: 5, y: 5, visible: true, sliderMin: 0,
    sliderMax: 100, isDiscrete: true};
  const zip = new JSZip();
  zip.file('project.json', JSON.stringify({targets: [stage], monitors: [monitor], extensions: [],
    meta: {semver: '3.0.0', vm: '5.0.300', agent: 'sb3lm test'}}));
  zip.file(`${kBackdropId}.svg`, kBackdrop);
  return zip.generateAsync({type: 'nodebuffer', compression: 'DEFLATE'});
}
