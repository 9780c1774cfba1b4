// Finds what the harness needs on this machine; a missing piece is named with its cure.

import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

import {missing} from './failure.mjs';

const require = createRequire(import.meta.url);

const kOwn = {folders: (name) => require.resolve.paths(name), cure: undefined};

/** Packages that few need lie in a folder NAME of their own here; `tools/setup --NAME` installs them. */
export const packagesApart = (name) =>
  ({folders: () => [beside(`${name}/node_modules`)], cure: `tools/setup --${name}`});

/** Path of a file inside an npm package. The folder is looked up because packages hide their files. */
export function packageFile(name, path, place = kOwn) {
  for (const folder of place.folders(name) ?? []) {
    const file = `${folder}/${name}/${path}`;
    if (existsSync(file)) return file;
  }
  throw missing(`npm package ${name}`, place.cure);
}

export function packageVersion(name, place = kOwn) {
  return JSON.parse(readFileSync(packageFile(name, 'package.json', place), 'utf8')).version;
}

export function requirePackage(name) {
  packageFile(name, 'package.json');
  return require(name);
}

/** Path of a program: the environment's choice, else the first of the usual places that exists. */
export function programPath(what, variable, places, cure) {
  const chosen = process.env[variable];
  const candidates = chosen ? [chosen] : places;
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw missing(`${what} (looked for ${candidates.join(', ')})`, cure);
  return found;
}

export const beside = (file) => fileURLToPath(new URL(file, import.meta.url));
