// TurboWarp's player as a page that plays what its parent sends it: a packaged project whose data is
// taken out. The chat's text box is in it because the project had a chat.

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {NodeProgram} from './node_program.mjs';

const kPackage = fileURLToPath(new URL('../tools/vm/package.mjs', import.meta.url));

async function anyProject(build, cat) {
  const program = await NodeProgram.start(build);
  program.module.FS.mkdir('/cat');
  for (const name of ['model.safetensors', 'tokenizer.json']) {
    program.module.FS.writeFile(`/cat/${name}`, readFileSync(join(cat, name)));
  }
  const {code, complaint} = program.run('build', '/cat', '-o', '/cat.sb3', '--no-verify',
    '--level', 'fast', '--title', 'Scratch');
  if (code !== 0) throw new Error(complaint);
  return program.module.FS.readFile('/cat.sb3');
}

// The packager's page decodes its project from texts in scripts.
function withoutProject(page) {
  const kData = /<script data="[^"]*">decodeChunk\(\d+\)<\/script>/g;
  const kUse = /return Promise\.resolve\(new Uint8Array\(buffer, 0, \d+\)\);/;
  if (!kData.test(page) || !kUse.test(page)) throw new Error('the packager makes other pages now');
  return page.replace(kData, '').replace(kUse, `return new Promise((done) => {
          addEventListener('message', ({data}) => done(data), {once: true});
          parent.postMessage('send the project', '*');
        });`);
}

/** `build`: the folder of the module. */
export async function playerPage(build, cat) {
  const folder = mkdtempSync(join(tmpdir(), 'sb3lm-player-'));
  try {
    const file = join(folder, 'cat.sb3');
    writeFileSync(file, await anyProject(build, cat));
    const options = {encoding: 'utf8', maxBuffer: 1 << 28};
    return withoutProject(execFileSync(process.execPath, [kPackage, file], options));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
