#!/usr/bin/env node
// Writes storyteller.sb3, a project without a model, as someone might have made it in the editor: a
// sprite that asks a model for a story once there is one, and a mouse that listens and asks back.
//   node samples/storyteller/make.mjs [OUT.sb3]      (needs tools/setup)

import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const JSZip = createRequire(new URL('../../tools/package.json', import.meta.url))('jszip');

// Names that are the model's, and one of our own.
const kVariables = {status: '', 'max new tokens': 60, 'user message': '', choice: ''};
const kLists = {transcript: [], 'stop words': [], answers: []};
const kMessages = ['chat', 'choose', 'the end'];

const kDate = new Date(Date.UTC(1980, 0, 1));  // the same file every time

const id = (name) => `st ${name}`;
const text = (value) => [1, [10, String(value)]];
const number = (value) => [1, [4, String(value)]];
const variable = (name) => [3, [12, name, id(name)], [10, '']];
const inner = (entry) => ({inner: entry});
const condition = (entry) => ({condition: entry});
const script = (...entries) => ({script: entries});
const block = (opcode, inputs = {}, fields = {}) => ({opcode, inputs, fields});
const ofList = (opcode, name, inputs = {}) => block(opcode, inputs, {LIST: [name, id(name)]});
const ofVariable = (opcode, name, inputs = {}) => block(opcode, inputs, {VARIABLE: [name, id(name)]});
const say = (what) => block('looks_say', {MESSAGE: what});
const sayFor = (what, seconds) =>
  block('looks_sayforsecs', {MESSAGE: text(what), SECS: number(seconds)});
const broadcast = (name) => block('event_broadcast', {BROADCAST_INPUT: [1, [11, name, id(name)]]});
// Until the request has begun: from then on `status` is `thinking`.
const broadcastAndWait = (name) =>
  block('event_broadcastandwait', {BROADCAST_INPUT: [1, [11, name, id(name)]]});
const whenReceived = (name) =>
  block('event_whenbroadcastreceived', {}, {BROADCAST_OPTION: [name, id(name)]});
const isReady = () =>
  block('operator_equals', {OPERAND1: variable('status'), OPERAND2: text('ready')});
const isThinking = () =>
  block('operator_equals', {OPERAND1: variable('status'), OPERAND2: text('thinking')});
const set = (name, value) => ofVariable('data_setvariableto', name, {VALUE: text(value)});
const listOf = (name, ...items) => [ofList('data_deletealloflist', name),
  ...items.map((item) => ofList('data_addtolist', name, {ITEM: text(item)}))];
const lastOf = (name) =>
  inner(ofList('data_itemoflist', name, {INDEX: inner(ofList('data_lengthoflist', name))}));

const kStoryteller = [
  [
    block('event_whenflagclicked'),
    say(text('Wait, I am still unpacking my words.')),
    block('control_wait_until', {CONDITION: condition(isReady())}),
    say(text('Click me, and I tell you a story.')),
  ],
  [
    block('event_whenthisspriteclicked'),
    block('control_wait_until', {CONDITION: condition(isReady())}),
    ...listOf('stop words', ': zzz'),
    set('user message', 'Tell me a story.'),
    broadcastAndWait('chat'),
    block('control_repeat_until', {
      CONDITION: condition(block('operator_not', {OPERAND: condition(isThinking())})),
      SUBSTACK: script(say(lastOf('transcript'))),
    }),
    say(lastOf('transcript')),
    broadcast('the end'),
  ],
];

const kMouse = [
  [
    whenReceived('the end'),
    ...listOf('answers', 'A frog is an amphibian, so yes.', 'A frog is an amphibian, so no.'),
    set('user message', 'Is a frog an animal?'),
    broadcastAndWait('choose'),
    block('control_wait_until', {CONDITION: condition(isReady())}),
    sayFor('Is a frog an animal, too?', 2),
    say(variable('choice')),
    set('turn of the mouse', 'now'),
    block('motion_changeyby', {DY: number(10)}),
    sayFor('Again, again!', 2),
    block('motion_changeyby', {DY: number(-10)}),
  ],
];

const kComment = 'Sets "user message", broadcasts "chat" and says what grows in "transcript". The ' +
  'story ends before the text in "stop words".';

/** Gives ids to a script's blocks and links them; returns the first one's id. */
function place(blocks, entries, parent, at) {
  const ids = entries.map((entry) => {
    const self = `b${Object.keys(blocks).length}`;
    blocks[self] = {opcode: entry.opcode, next: null, parent: null, inputs: {}, fields: entry.fields,
      shadow: false, topLevel: false};
    return self;
  });
  entries.forEach((entry, index) => {
    const self = blocks[ids[index]];
    self.next = ids[index + 1] ?? null;
    self.parent = index > 0 ? ids[index - 1] : parent;
    for (const [name, value] of Object.entries(entry.inputs)) {
      self.inputs[name] = inputOf(blocks, value, ids[index]);
    }
  });
  if (at) Object.assign(blocks[ids[0]], {topLevel: true, ...at});
  return ids[0];
}

function inputOf(blocks, value, parent) {
  if (Array.isArray(value)) return value;
  if (value.script) return [2, place(blocks, value.script, parent)];
  if (value.condition) return [2, place(blocks, [value.condition], parent)];
  return [3, place(blocks, [value.inner], parent), [10, '']];
}

const svg = (width, height, inside) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" ` +
  `height="${height}" viewBox="0 0 ${width} ${height}">${inside}</svg>`;

const kPictures = {
  room: svg(480, 360, '<path d="M0 0h480v360H0z" fill="#2d3250"/><path d="M0 270h480v90H0z" ' +
    'fill="#7a5c43"/><path d="M60 60h150v210H60z" fill="#4b3a2e"/><path d="M72 78h20v54H72zm26 8h16' +
    'v46H98zm22-12h22v58h-22zm30 10h14v48h-14zM74 168h18v54H74zm24-6h20v60H98zm28 10h14v50h-14z" ' +
    'fill="#c96f53"/><circle cx="400" cy="80" r="34" fill="#f6e7a8"/>'),
  owl: svg(96, 120, '<ellipse cx="48" cy="68" rx="40" ry="50" fill="#8a6a4f"/><ellipse cx="48" ' +
    'cy="82" rx="24" ry="32" fill="#cdb08d"/><circle cx="32" cy="46" r="16" fill="#fff"/><circle ' +
    'cx="64" cy="46" r="16" fill="#fff"/><circle cx="32" cy="46" r="7"/><circle cx="64" cy="46" ' +
    'r="7"/><path d="M42 58h12l-6 12z" fill="#e8a33d"/>'),
  mouse: svg(56, 40, '<ellipse cx="30" cy="26" rx="22" ry="13" fill="#9aa0ad"/><circle cx="14" ' +
    'cy="14" r="8" fill="#c3c7d0"/><circle cx="10" cy="24" r="2"/>'),
};

function costume(zip, name, x, y) {
  const assetId = createHash('md5').update(kPictures[name]).digest('hex');
  zip.file(`${assetId}.svg`, kPictures[name], {date: kDate});
  return {name, bitmapResolution: 1, dataFormat: 'svg', assetId, md5ext: `${assetId}.svg`,
    rotationCenterX: x, rotationCenterY: y};
}

function blocksOf(scripts) {
  const blocks = {};
  scripts.forEach((entries, index) => place(blocks, entries, null, {x: 40 + 420 * index, y: 60}));
  return blocks;
}

const byId = (names, entry) =>
  Object.fromEntries(Object.entries(names).map(([name, value]) => [id(name), entry(name, value)]));
const pair = (name, value) => [name, value];

function sprite(zip, name, order, x, y, scripts, own) {
  const centers = {owl: [48, 60], mouse: [28, 20]};
  const picture = name === 'Mouse' ? 'mouse' : 'owl';
  return {isStage: false, name, variables: byId(own.variables ?? {}, pair),
    lists: byId(own.lists ?? {}, pair), broadcasts: {}, blocks: blocksOf(scripts),
    comments: own.comments ?? {}, currentCostume: 0,
    costumes: [costume(zip, picture, ...centers[picture])], sounds: [], volume: 100,
    layerOrder: order, visible: true, x, y, size: 100, direction: 90, draggable: false,
    rotationStyle: 'all around'};
}

async function main(out) {
  const zip = new JSZip();
  const stage = {isStage: true, name: 'Stage', variables: byId(kVariables, pair),
    lists: byId(kLists, pair), broadcasts: Object.fromEntries(kMessages.map((name) => [id(name), name])),
    blocks: {}, comments: {}, currentCostume: 0, costumes: [costume(zip, 'room', 240, 180)],
    sounds: [], volume: 100, layerOrder: 0, tempo: 60, videoTransparency: 50, videoState: 'on',
    textToSpeechLanguage: null};
  const owl = sprite(zip, 'Storyteller', 1, 60, -40, kStoryteller, {
    comments: {c1: {blockId: 'b4', x: 820, y: 60, width: 300, height: 200, minimized: false,
      text: kComment}},
  });
  owl.blocks.b4.comment = 'c1';
  const mouse = sprite(zip, 'Mouse', 2, -120, -120, kMouse, {variables: {'turn of the mouse': ''}});
  const project = {targets: [stage, owl, mouse], monitors: [], extensions: [],
    meta: {semver: '3.0.0', vm: '5.0.300', agent: ''}};
  zip.file('project.json', JSON.stringify(project), {date: kDate});
  writeFileSync(out, await zip.generateAsync({type: 'nodebuffer', compression: 'DEFLATE',
    compressionOptions: {level: 9}}));
}

await main(process.argv[2] ?? fileURLToPath(new URL('storyteller.sb3', import.meta.url)));
