// The program as WebAssembly, like one of the command line: its files are copied in and out.
//   web_program.mjs BUILD_FOLDER WORD...

import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';

import {NodeProgram} from '../../web/node_program.mjs';

const isFile = (path) => existsSync(path) && statSync(path).isFile();

function copyIn(FS, path) {
  FS.mkdirTree(dirname(path));
  FS.writeFile(path, readFileSync(path));
}

const [folder, ...words] = process.argv.slice(2);
const program = await NodeProgram.start(resolve(folder));
const {FS} = program.module;
// A checkpoint's tokenizer and facts lie beside it.
for (const input of words.filter(isFile)) {
  const beside = dirname(resolve(input));
  readdirSync(beside).map((name) => join(beside, name)).filter(isFile).forEach((path) => copyIn(FS, path));
}
FS.mkdirTree(process.cwd());
FS.chdir(process.cwd());
const out = words.includes('-o') ? resolve(words[words.indexOf('-o') + 1]) : undefined;
if (out !== undefined) FS.mkdirTree(dirname(out));
const {code, output, complaint} = program.run(...words);
if (output !== '') console.log(output);
if (complaint !== '') console.error(complaint);
if (code === 0 && out !== undefined) writeFileSync(out, FS.readFile(out));
process.exitCode = code;
