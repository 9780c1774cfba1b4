#!/usr/bin/env node
// Checks projects with the Scratch Foundation's own parser (zip, JSON, schema), and that every
// costume and sound a project names is in its zip. Exit 0 when all are well, 1 when one is not.

import {readFileSync} from 'node:fs';

import {Failure, textOf} from './failure.mjs';
import {requirePackage} from './packages.mjs';

function missingAssets(project, zip) {
  const assets = project.targets.flatMap((target) => [...target.costumes, ...target.sounds]);
  return assets.map((asset) => asset.md5ext ?? `${asset.assetId}.${asset.dataFormat}`)
    .filter((name) => !zip.file(name));
}

async function faultOf(parse, file) {
  try {
    const bytes = readFileSync(file);
    const [project, zip] = await new Promise((resolve, reject) => {
      parse(bytes, false, (error, parsed) => (error ? reject(error) : resolve(parsed)));
    });
    if (!zip) return 'not a zip file';
    const missing = missingAssets(project, zip);
    return missing.length > 0 ? `not in the zip: ${missing.join(', ')}` : null;
  } catch (error) {
    return textOf(error);
  }
}

async function main(files) {
  if (files.length === 0) throw new Failure(2, 'usage: check_project.mjs FILE.sb3...');
  const parse = requirePackage('scratch-parser');
  let faults = 0;
  for (const file of files) {
    const fault = await faultOf(parse, file);
    if (fault) faults += 1;
    console.log(`${file}: ${fault ?? 'ok'}`);
  }
  process.exitCode = faults > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`check_project.mjs: ${error.message}`);
  process.exitCode = error.exit_code ?? 70;
});
