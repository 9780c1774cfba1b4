// What the end-to-end tests share: the bundled model as a project, and a folder that goes away.

import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {Failure, kMissingProgram} from '../../tools/vm/failure.mjs';

export const kRoot = fileURLToPath(new URL('../../', import.meta.url));
const kSkipped = 77;

/** A question and how the greedy answer begins (samples/dictionary-cat/answers.json). */
export const kExpected = {question: 'What is a lighthouse?', beginning: 'A lighthouse is a tower'};

export const jszip = () => createRequire(new URL('../../tools/package.json', import.meta.url))('jszip');

export const sb3lmStatus = (binary, ...options) =>
  spawnSync(binary, ['-q', ...options], {encoding: 'utf8'});

export function sb3lm(binary, ...options) {
  const {status, stdout, stderr} = sb3lmStatus(binary, ...options);
  if (status === kMissingProgram) throw new Failure(kMissingProgram, stderr);
  if (status !== 0) throw new Error(`sb3lm ${options.join(' ')}: exit ${status}: ${stderr}`);
  return stdout;
}

export const kCat = join(kRoot, 'samples/dictionary-cat/model.safetensors');

export function buildCat(binary, folder, ...options) {
  const out = join(folder, 'cat.sb3');
  sb3lm(binary, 'build', kCat, '--title', 'Dictionary cat', '--no-verify', '-o', out, ...options);
  return out;
}

/** Runs a test in a folder of its own. Without Chromium or a package it is skipped, visibly. */
export async function withFolder(test) {
  const folder = mkdtempSync(join(tmpdir(), 'sb3lm-e2e-'));
  try {
    await test(folder);
  } catch (error) {
    if (error?.exit_code !== kMissingProgram) throw error;
    console.log(`skipped: ${error.message}`);
    process.exitCode = kSkipped;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
