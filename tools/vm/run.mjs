#!/usr/bin/env node
// Runs a Scratch project in a real virtual machine and prints what it did as one JSON value.
// README.md in this folder describes requests and results.

import {readFileSync} from 'node:fs';
import {parseArgs} from 'node:util';

import {BrowserHost, kBrowserVms} from './browser_host.mjs';
import {badInput, Failure, HostLost, kBadInput} from './failure.mjs';
import {runJob} from './job.mjs';
import {NodeHost} from './node_host.mjs';
import {readRequest} from './request.mjs';

const kVms = ['scratch', ...kBrowserVms];

const kUsage = `usage: run.mjs --vm ${kVms.join('|')} FILE.sb3 [REQUEST.json | -]
       run.mjs --vm ... --batch BATCH.json     BATCH: {"jobs": [{"file", "request", "vm"?}, ...]}`;

const startHost = (vm) => (vm === 'scratch' ? NodeHost.start() : BrowserHost.start(vm));

/** Hosts are kept between jobs: starting Chromium costs more than a small project. */
class Hosts {
  #started = new Map();

  async get(vm) {
    if (!this.#started.has(vm)) this.#started.set(vm, await startHost(vm));
    return this.#started.get(vm);
  }

  async drop(vm) {
    const host = this.#started.get(vm);
    this.#started.delete(vm);
    await host?.close();
  }

  async close() {
    for (const vm of [...this.#started.keys()]) await this.drop(vm);
  }
}

function readJson(path) {
  let text;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw badInput(`${path}: cannot be read (${error.code})`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badInput(`${path}: ${error.message}`);
  }
}

function readJobs(options, positionals) {
  if (options.batch === undefined) {
    const [file, request] = positionals;
    return [{file, request: request === undefined ? {} : readJson(request)}];
  }
  const {jobs} = readJson(options.batch);
  if (!Array.isArray(jobs)) throw badInput(`${options.batch}: no list 'jobs'`);
  return jobs;
}

async function runOne(hosts, vm, job) {
  try {
    if (!kVms.includes(vm)) throw badInput(`unknown vm '${vm}'; known: ${kVms.join(', ')}`);
    if (typeof job?.file !== 'string') throw badInput("a job needs a 'file'");
    const given = typeof job.request === 'string' ? readJson(job.request) : job.request ?? {};
    return {exit_code: 0,
      result: await runJob(await hosts.get(vm), vm, job.file, readRequest(given))};
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error instanceof HostLost) await hosts.drop(vm);
    return {exit_code: error.exit_code, result: {error: error.message}};
  }
}

// A large result leaves a pipe in pieces, so wait for the last one before going.
function leave(exit_code, result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(exit_code));
}

async function main() {
  const {values: options, positionals} = parseArgs({
    allowPositionals: true,
    options: {vm: {type: 'string'}, batch: {type: 'string'}, help: {type: 'boolean'}},
  });
  if (options.help) {
    console.log(kUsage);
    process.exit(0);
  }
  const enough = options.batch ? positionals.length === 0
    : positionals.length === 1 || positionals.length === 2;
  if (!enough || options.vm === undefined) throw badInput(kUsage);
  const hosts = new Hosts();
  const done = [];
  for (const job of readJobs(options, positionals)) {
    done.push(await runOne(hosts, job?.vm ?? options.vm, job));
  }
  await hosts.close();
  const results = done.map(({result}) => result);
  leave(Math.max(0, ...done.map(({exit_code}) => exit_code)),
    options.batch ? results : results[0]);
}

main().catch((error) => {
  const known = error instanceof Failure || error.code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`run.mjs: ${known ? error.message : error.stack}\n`);
  leave(known ? error.exit_code ?? kBadInput : 70, {error: error.message});
});
