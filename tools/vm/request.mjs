// Reads a request, fills in the defaults and refuses what it does not know, by name.

import {badInput} from './failure.mjs';

const kJob = {
  runs: [],
  load_timeout_s: 300,
  warp_timer: false,
  turbo: true,
  raw: false,
  screenshot: null,
  done_variable: {name: 'status', value: 'ready'},
  read_lists: [],
  read_variables: [],
};

const kRun = {
  tokens: null,
  user_message: undefined,
  set: {},
  broadcast: 'generate',
  then: null,
  send: null,
  apart: 0,
  timeout_s: 600,
  read_lists: [],
  read_variables: [],
};

function withDefaults(given, defaults, where) {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw badInput(`${where}: not a JSON object`);
  }
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(defaults, key)) {
      throw badInput(`${where}: unknown key '${key}'; known: ${Object.keys(defaults).join(', ')}`);
    }
  }
  return {...defaults, ...given};
}

function needArray(value, where) {
  if (!Array.isArray(value)) throw badInput(`${where}: not a JSON array`);
}

function needSeconds(value, where) {
  if (!(value > 0)) throw badInput(`${where}: ${JSON.stringify(value)} is no number of seconds`);
}

function readRun(given, where) {
  const run = withDefaults(given, kRun, where);
  if (run.tokens !== null) needArray(run.tokens, `${where}.tokens`);
  if (run.send !== null) needArray(run.send, `${where}.send`);
  needSeconds(run.timeout_s, `${where}.timeout_s`);
  if (run.then !== null) {
    run.then = withDefaults(run.then, {broadcast: 'stop', after_tokens: 1}, `${where}.then`);
  }
  return run;
}

export function readRequest(given) {
  const request = withDefaults(given, kJob, 'request');
  needArray(request.runs, 'request.runs');
  needArray(request.read_lists, 'request.read_lists');
  needArray(request.read_variables, 'request.read_variables');
  needSeconds(request.load_timeout_s, 'request.load_timeout_s');
  const done = withDefaults(request.done_variable, kJob.done_variable, 'request.done_variable');
  request.done_variable = {name: done.name, value: String(done.value)};
  request.runs = request.runs.map((run, index) =>
    ({...readRun(run, `request.runs[${index}]`), raw: request.raw}));
  return request;
}
