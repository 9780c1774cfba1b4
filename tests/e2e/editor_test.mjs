// The bundled model's project in Scratch's own editor: it opens at a small sprite, and clicking the
// engine draws its blocks. Times are printed beside those of an empty project; what may fail is not
// they but the work that they come from.
//   editor_test.mjs PATH_OF_SB3LM [FOLDER_FOR_PICTURES]

import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {EditorPage} from './editor_page.mjs';
import {checkWork, projectOf} from './editor_work.mjs';
import {buildCat, jszip, withFolder} from './support.mjs';

const kEngine = 'engine';

// The same stage and sprites without blocks, variables and lists.
async function emptied(file, folder) {
  const zip = await jszip().loadAsync(readFileSync(file));
  const project = await projectOf(file);
  for (const target of project.targets) {
    Object.assign(target, {blocks: {}, variables: {}, lists: {}, broadcasts: {}, comments: {}});
  }
  project.monitors = [];
  zip.file('project.json', JSON.stringify(project));
  const out = join(folder, 'empty.sb3');
  writeFileSync(out, await zip.generateAsync({type: 'nodebuffer'}));
  return out;
}

async function timed(file, picture) {
  const editor = await EditorPage.open();
  try {
    const times = {load: await editor.load(file)};
    const opened = await editor.opened();
    await picture(editor, 'opened');
    times['flag to ready'] = await editor.clickFlag();
    await picture(editor, 'ready');
    times['click on the engine'] = await editor.clickSprite(kEngine);
    await picture(editor, 'engine');
    return {times, opened};
  } finally {
    await editor.close();
  }
}

await withFolder(async (folder) => {
  const project = buildCat(process.argv[2], folder);
  const pictures = process.argv[3];
  const picture = (editor, name) => (pictures ? editor.picture(join(pictures, `editor-${name}.png`)) : undefined);
  const empty = await timed(await emptied(project, folder), () => undefined);
  const {times, opened} = await timed(project, picture);
  for (const [what, seconds] of Object.entries(times)) {
    console.log(`${what}: ${seconds.toFixed(1)} s (empty project: ${empty.times[what].toFixed(1)} s)`);
  }
  const contents = await projectOf(project);
  assert.equal(opened, contents.targets[1].name);
  checkWork(contents);
});
