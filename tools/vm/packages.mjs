// Finds what the harness needs on this machine; a missing piece is named with its cure.

import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

import {missing} from './failure.mjs';

const require = createRequire(import.meta.url);

/** Path of a file inside an npm package. The folder is looked up because packages hide their files. */
export function packageFile(name, path) {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = `${folder}/${name}/${path}`;
    if (existsSync(file)) return file;
  }
  throw missing(`npm package ${name}`);
}

export function packageVersion(name) {
  return JSON.parse(readFileSync(packageFile(name, 'package.json'), 'utf8')).version;
}

export function requirePackage(name) {
  packageFile(name, 'package.json');
  return require(name);
}

export function chromiumPath() {
  const chosen = process.env.SB3LM_CHROMIUM;
  const candidates = chosen ? [chosen]
    : ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw missing(`Chromium (looked for ${candidates.join(', ')})`);
  return found;
}

export const beside = (file) => fileURLToPath(new URL(file, import.meta.url));
