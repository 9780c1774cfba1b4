// sb-edit, the library under Leopard, reads the bundled model's project and writes it in its other
// formats. Argument: the program sb3lm. Exits with 77 (a skip) without the npm package.
import assert from 'node:assert';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

import {buildCat, jszip, withFolder} from '../e2e/support.mjs';

function sbEdit() {
  const require = createRequire(new URL('../../tools/package.json', import.meta.url));
  try {
    return require('sb-edit');
  } catch {
    console.log('skipped: sb-edit is missing; run tools/setup');
    process.exit(77);
  }
}

const counted = (names) => {
  const counts = {};
  for (const name of names.sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** A block and all under it, in sb-edit's own terms. */
function withInner(block) {
  const inside = ({type, value}) => {
    if (type === 'block') return withInner(value);
    if (type === 'blocks') return (value ?? []).flatMap(withInner);
    return type === 'customBlockInputValues' ? value.flatMap(inside) : [];
  };
  return [block, ...Object.values(block.inputs).flatMap(inside)];
}

/** Opcodes of a target as sb-edit has them: variables in inputs are blocks, shadows are not. */
function opcodesInFile(target) {
  const blocks = Object.values(target.blocks);
  const names = blocks.filter((block) => !block.shadow).map((block) => block.opcode);
  for (const {inputs} of blocks) {
    for (const value of Object.values(inputs).map((input) => input[1])) {
      if (Array.isArray(value) && value[0] === 12) names.push('data_variable');
      if (Array.isArray(value) && value[0] === 13) names.push('data_listcontents');
    }
  }
  return counted(names);
}

const {Project} = sbEdit();

await withFolder(async (folder) => {
  const bytes = readFileSync(buildCat(process.argv[2], folder));
  const file = JSON.parse(await (await jszip().loadAsync(bytes)).file('project.json').async('text'));
  const project = await Project.fromSb3(bytes);
  const targets = [project.stage, ...project.sprites];
  assert.equal(targets.length, file.targets.length);
  for (const target of targets) {
    const written = file.targets.find(({name}) => name === target.name);
    const blocks = target.scripts.flatMap((script) => script.blocks.flatMap(withInner));
    assert.deepEqual(counted(blocks.map(({opcode}) => opcode)), opcodesInFile(written));
    assert(target.costumes.every(({asset}) => asset.byteLength > 0), `a costume of ${target.name}`);
    console.log(`${target.name}: ${target.scripts.length} scripts, ${blocks.length} blocks`);
    // Leopard writes items out one by one and formats them, a million of them for minutes.
    for (const list of target.lists) list.value = list.value.slice(0, 3);
  }
  const again = JSON.parse(project.toSb3().json);
  assert.deepEqual(again.targets.map(({name}) => name), file.targets.map(({name}) => name));
  assert.match(project.toScratchblocks().engine, /define generate|define token/);
  assert.match(project.toLeopard()['Screen/Screen.js'], /class Screen extends Sprite/);
});
