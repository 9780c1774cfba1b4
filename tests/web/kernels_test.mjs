// The engine's kernels for WebAssembly against their twins in plain C++: fast_kernels_test.cc in Node.

import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';

import {kRoot, withFolder} from '../e2e/support.mjs';
import {missing} from '../../tools/vm/failure.mjs';

const kProgram = join(process.env.SB3LM_WEB_BUILD ?? join(kRoot, 'build-web'), 'fast_kernels_test.js');

await withFolder(() => {
  if (!existsSync(kProgram)) throw missing(kProgram, 'tools/web');
  const {status} = spawnSync(process.execPath, [kProgram], {stdio: 'inherit'});
  if (status !== 0) throw new Error(`fast_kernels_test ended with ${status}`);
});
