// One job: a project and a request become one result object.

import {accessSync, constants} from 'node:fs';

import {badInput, Failure, HostLost, textOf} from './failure.mjs';
import {kBrowserSeconds, withinSeconds} from './time_limit.mjs';

const kMaxErrors = 20;

const progress = (text) => process.stderr.write(`${text}\n`);

async function within(seconds, what, project, work) {
  try {
    return await withinSeconds(seconds, what, work);
  } catch (error) {
    if (error instanceof HostLost) error.message += await standing(project);
    throw error instanceof Failure ? error : badInput(`${what}: ${textOf(error)}`);
  }
}

// What a late project says of itself, if it still answers.
async function standing(project) {
  const silent = new Promise((resolve) => setTimeout(resolve, 1000, 'no answer'));
  const said = await Promise.race([silent, project.call('describe').catch(textOf)]);
  const thrown = project.exceptions.length > 0 ? `; exception: ${project.exceptions[0]}` : '';
  return ` (${said}${thrown})`;
}

function reportRun(index, count, run) {
  const rest = run.token_ms.slice(1);
  const mean = rest.reduce((sum, interval) => sum + interval, 0) / rest.length;
  progress(`run ${index + 1}/${count}: ${run.status}, ${run.tokens.length} tokens in ` +
    `${run.seconds.toFixed(2)} s${rest.length > 0 ? `, ${mean.toFixed(1)} ms per token` : ''}`);
}

async function drive(host, project, vm, request) {
  const inTime = (what, work) => within(request.load_timeout_s, what, project, work);
  const began = performance.now();
  await inTime('loading', project.load());
  const seconds_parsing = (performance.now() - began) / 1000;
  const start = await inTime('green flag', project.call('start'));
  progress(`${vm}: ${start.status} after ${seconds_parsing.toFixed(2)} s of parsing and ` +
    `${start.seconds.toFixed(2)} s of loading`);
  const heap_bytes = await inTime('memory', project.heapBytes());
  const runs = [];
  for (const [index, run] of request.runs.entries()) {
    runs.push(await within(run.timeout_s, `run ${index + 1}`, project, project.call('perform', run)));
    reportRun(index, request.runs.length, runs.at(-1));
  }
  const heap_bytes_at_end = await inTime('memory', project.heapBytes());
  const {lists, variables} = await inTime('results', project.call('read', request));
  if (request.screenshot) await inTime('screenshot', project.screenshot(request.screenshot));
  const errors = [...await inTime('errors', project.call('compileErrors')),
    ...project.exceptions.map((text) => `exception: ${text}`)];
  return {
    vm, version: host.version, browser: host.browser, seconds_parsing,
    seconds_loading: start.seconds, status: start.status, runs, lists, variables, heap_bytes,
    heap_bytes_at_end, compile_errors: [...new Set(errors)].slice(0, kMaxErrors),
  };
}

export async function runJob(host, vm, file, request) {
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw badInput(`${file}: cannot be read`);
  }
  if (request.screenshot && !host.takesPictures) {
    throw badInput(`'screenshot': ${vm} takes no pictures; turbowarp does`);
  }
  const project = await withinSeconds(kBrowserSeconds, 'opening a page', host.open(file, request));
  try {
    return await drive(host, project, vm, request);
  } catch (error) {
    if (error instanceof Failure) error.message = `${file}: ${error.message}`;
    throw error;
  } finally {
    await Promise.race([project.close(), new Promise((go) => setTimeout(go, 2000).unref())]);
  }
}
