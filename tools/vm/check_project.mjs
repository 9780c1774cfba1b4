#!/usr/bin/env node
// Checks projects with the Scratch Foundation's own parser (zip, JSON, schema), and that every
// costume and sound a project names is in its zip. Exit 0 when all are well, 1 when one is not.

import {readFileSync} from 'node:fs';

import {Failure, textOf} from './failure.mjs';
import {faultOf} from './project_file.mjs';

async function faultOfFile(file) {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return textOf(error);
  }
  return faultOf(bytes);
}

async function main(files) {
  if (files.length === 0) throw new Failure(2, 'usage: check_project.mjs FILE.sb3...');
  let faults = 0;
  for (const file of files) {
    const fault = await faultOfFile(file);
    if (fault) faults += 1;
    console.log(`${file}: ${fault ?? 'ok'}`);
  }
  process.exitCode = faults > 0 ? 1 : 0;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`check_project.mjs: ${error.message}`);
  process.exitCode = error.exit_code ?? 70;
});
