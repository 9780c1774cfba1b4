// Checks the harness itself on tiny projects, in every virtual machine.
// Run it alone: node tests/vm/harness_test.mjs [MACHINE...]

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {block, list, set, text, tinyProject, variable, warpProcedure, whenFlag,
  whenReceived} from './tiny_project.mjs';

const kHarness = fileURLToPath(new URL('../../tools/vm/', import.meta.url));
const kSumHex = '3fd3333333333334';  // 0.1 + 0.2

const folder = mkdtempSync(join(tmpdir(), 'sb3lm-harness-'));
const kVms = ['scratch', 'turbowarp', 'scratch-browser'];
// These need an option of tools/setup; without it they are skipped.
const kOptionalVms = ['scratch15', 'firefox', 'webkit'];
const kBrowserVariables = {scratch: null, firefox: 'SB3LM_FIREFOX', webkit: 'SB3LM_WEBKIT'};
const kBlindVms = ['scratch', 'webkit'];  // take no pictures
const kDeafVms = ['turbowarp', 'firefox', 'webkit'];

const sum = (a, b) => block('operator_add', {NUM1: a, NUM2: b});
const difference = (a, b) => block('operator_subtract', {NUM1: a, NUM2: b});
const promptItem = () => list('data_itemoflist', 'prompt tokens', {INDEX: variable('at')});
const next = () => block('data_changevariableby', {VALUE: text(1)}, {VARIABLE: ['at', 'at']});

// As a real project: the first block says "thinking", the loop gives way once per token.
const kGenerator = [
  whenFlag(set('status', text('loading')), set('status', text('ready'))),
  whenReceived('generate',
    set('status', text('thinking')),
    list('data_deletealloflist', 'output tokens'),
    list('data_deletealloflist', 'logits'),
    set('at', text(1)),
    block('control_repeat', {TIMES: list('data_lengthoflist', 'prompt tokens'), SUBSTACK: {script: [
      list('data_addtolist', 'output tokens', {ITEM: sum(promptItem(), text(1))}),
      list('data_addtolist', 'logits', {ITEM: sum(text(0.1), text(0.2))}),
      next(),
    ]}}),
    set('stop reason', text('length')),
    set('status', text('ready'))),
  whenReceived('chat',
    set('status', text('thinking')),
    list('data_addtolist', 'transcript', {ITEM: variable('user message')}),
    set('status', text('error: no words for this'))),
  whenReceived('stop', set('stop reason', text('stopped'))),
  // Never sets the status: the harness has to notice the end of the script itself.
  whenReceived('negative zero', set('at', difference(text('-0'), text(0)))),
];

const forever = (...script) => block('control_forever', {SUBSTACK: {script}});
const kStuck = [
  whenFlag(set('status', text('ready'))),
  whenReceived('generate', set('status', text('thinking')), forever(next())),
];
// In TurboWarp this page never answers again; the Scratch Foundation's machine still does.
const kSpin = warpProcedure('spin', forever(next()));
const kDeaf = [
  whenFlag(set('status', text('ready'))),
  whenReceived('generate', set('status', text('thinking')), kSpin.call),
  kSpin.definition,
];

async function write(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, typeof bytes === 'object' && !Buffer.isBuffer(bytes) ? JSON.stringify(bytes) : bytes);
  return path;
}

/** Runs a script of tools/vm: its exit code and what it printed. */
function call(script, ...given) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(kHarness, script), ...given]);
    let output = '';
    let notes = '';
    child.stdout.on('data', (part) => { output += part; });
    child.stderr.on('data', (part) => { notes += part; });
    child.on('close', (exit_code) => resolve({exit_code, output, notes}));
  });
}

async function run(...given) {
  const {exit_code, output, notes} = await call('run.mjs', ...given);
  try {
    return {exit_code, result: JSON.parse(output)};
  } catch {
    throw new Error(`not one JSON value on stdout:\n${output}\n${notes}`);
  }
}

async function checkGenerator(vm, project) {
  const picture = join(folder, `${vm}.png`);
  const request = await write('request.json', {
    runs: [
      {tokens: [1, 2, 41], set: {'max new tokens': 8}},
      {user_message: 'hello', broadcast: 'chat'},
      {broadcast: 'negative zero', read_variables: ['at']},
      {tokens: Array.from({length: 300}, (_, index) => index), then: {broadcast: 'stop', after_tokens: 2}},
    ],
    read_lists: ['transcript', 'logits'], read_variables: ['status'],
    ...(kBlindVms.includes(vm) ? {} : {screenshot: picture}),
  });
  const {exit_code, result} = await run('--vm', vm, project, request);
  assert.equal(exit_code, 0, result.error);
  assert.equal(result.vm, vm);
  assert.equal(result.status, 'ready');
  assert.deepEqual(result.compile_errors, []);
  assert.ok(result.seconds_loading >= 0 && result.seconds_parsing > 0);
  for (const bytes of [result.heap_bytes, result.heap_bytes_at_end]) {
    assert.ok(bytes > 1e6 || (bytes === null && kOptionalVms.includes(vm)));
  }
  const [generated, chatted, negated, stopped] = result.runs;
  assert.deepEqual(generated.tokens, [2, 3, 42]);
  assert.deepEqual(generated.logits, [kSumHex, kSumHex, kSumHex]);
  assert.equal(generated.token_ms.length, 3);
  assert.deepEqual([generated.status, generated.stop_reason, generated.text], ['ready', 'length', null]);
  assert.equal(chatted.status, 'error: no words for this');
  assert.deepEqual([chatted.text, chatted.transcript], ['hello', ['hello']]);
  // The status still says "error" from the run before: only the end of the script counts.
  assert.equal(negated.variables.at, 'n:8000000000000000');
  assert.equal(stopped.tokens.length, 300);
  assert.equal(stopped.token_ms.length, 300);
  assert.deepEqual(result.lists.transcript, ['s:hello']);
  assert.equal(result.lists.logits[0], `n:${kSumHex}`);
  assert.equal(result.variables.status, 's:ready');
  if (!kBlindVms.includes(vm)) assert.equal(readFileSync(picture).subarray(1, 4).toString(), 'PNG');
}

/** Every way to fail, in one batch, between two jobs that work: a failure must not spread. */
async function checkFailures(vm, project) {
  const good = {runs: [{tokens: [7]}]};
  const cases = [
    {file: project, request: good},
    {file: join(folder, 'absent.sb3'), expect: /cannot be read/},
    {file: await write('text.sb3', 'this is no project'), expect: /loading/},
    {file: await write('empty.sb3', ''), expect: /loading/},
    {file: project, request: {runs: [{broadcast: 'nobody'}]}, expect: /no script .* 'nobody'/},
    {file: project, request: {runs: [{set: {volume: 3}}]}, expect: /no variable 'volume'/},
    {file: project, request: {read_lists: ['nothing']}, expect: /no list 'nothing'/},
    ...(kBlindVms.includes(vm)
      ? [{file: project, request: {screenshot: 'x.png'}, expect: /takes no pictures/}] : []),
    {file: project, request: {run: []}, expect: /unknown key 'run'/},
    {file: await write('stuck.sb3', await tinyProject(kStuck)),
      request: {runs: [{timeout_s: 1}]}, expect: /timeout: run 1 .*thinking/},
    {file: await write('deaf.sb3', await tinyProject(kDeaf)),
      request: {runs: [{timeout_s: 1}]}, expect: kDeafVms.includes(vm) ? /no answer/ : /thinking/},
    {file: project, request: {done_variable: {name: 'at', value: 'never'}, load_timeout_s: 1},
      expect: /timeout: green flag/},
    {file: project, request: good},
  ];
  const batch = await write('batch.json', {jobs: cases.map(({file, request}) => ({file, request}))});
  const {exit_code, result} = await run('--vm', vm, '--batch', batch);
  assert.equal(exit_code, 3, JSON.stringify(result));
  assert.equal(result.length, cases.length);
  cases.forEach(({expect, file}, index) => {
    if (expect) assert.match(result[index].error ?? 'no error', expect, `case ${index}: ${file}`);
    else assert.deepEqual(result[index].runs?.[0].tokens, [8], result[index].error);
  });
}

async function checkMissingBrowser(vm, project) {
  const variable = kBrowserVariables[vm] ?? 'SB3LM_CHROMIUM';
  process.env[variable] = join(folder, 'no-browser');
  const {exit_code, result} = await run('--vm', vm, project);
  delete process.env[variable];
  assert.equal(exit_code, 4);
  assert.match(result.error, new RegExp(`tools/setup${variable === 'SB3LM_CHROMIUM' ? '' : ` --${vm}`}$`));
}

/** Browsers on a desk of their own: what they say when they cannot start must reach the caller. */
async function checkBrokenBrowser(vm, project) {
  const variable = kBrowserVariables[vm];
  process.env[variable] = await write('broken', '#!/bin/sh\necho no libraries here >&2\nexit 1\n');
  chmodSync(process.env[variable], 0o755);
  const {exit_code, result} = await run('--vm', vm, project);
  delete process.env[variable];
  assert.equal(exit_code, 3);
  assert.match(result.error, /broken ended: no libraries here$/);
}

async function checkChecker(project) {
  assert.equal((await call('check_project.mjs', project)).exit_code, 0);
  const bad = await write('bad.sb3', '{"targets": []}');
  const {exit_code, output} = await call('check_project.mjs', project, bad);
  assert.equal(exit_code, 1);
  assert.match(output, /: ok\n.*bad\.sb3: /);
}

async function timed(name, check) {
  const began = performance.now();
  await check();
  console.log(`ok ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
}

async function isInstalled(vm, project) {
  const {exit_code, result} = await run('--vm', vm, project);
  if (exit_code === 4) console.log(`skipped ${vm}: ${result.error}`);
  return exit_code !== 4;
}

async function checkVm(vm, project) {
  await timed(`${vm}: runs`, () => checkGenerator(vm, project));
  await timed(`${vm}: failures`, () => checkFailures(vm, project));
  if (vm !== 'scratch') await timed(`${vm}: missing browser`, () => checkMissingBrowser(vm, project));
  if (vm === 'firefox') await timed(`${vm}: broken browser`, () => checkBrokenBrowser(vm, project));
}

try {
  const project = await write('generator.sb3', await tinyProject(kGenerator));
  await timed('check_project', () => checkChecker(project));
  for (const vm of process.argv.length > 2 ? process.argv.slice(2) : [...kVms, ...kOptionalVms]) {
    if (!kOptionalVms.includes(vm) || await isInstalled(vm, project)) await checkVm(vm, project);
  }
} finally {
  if (!process.env.SB3LM_KEEP) rmSync(folder, {recursive: true, force: true});
}
