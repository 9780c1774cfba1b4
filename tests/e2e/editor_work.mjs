// What Scratch's editor has to do with a project, counted: it draws all blocks of a sprite, and for
// each menu of names in them it sorts the names of the stage and of the sprite.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';

import {jszip} from './support.mjs';

const kEngine = 'engine';
// Of the bundled model, which is small; a comparison takes some 10 µs.
const kMostFirstBlocks = 100;
const kMostComparisons = 156_000;

export async function projectOf(file) {
  const zip = await jszip().loadAsync(readFileSync(file));
  return JSON.parse(await zip.file('project.json').async('string'));
}

function comparisons(names) {
  let count = 0;
  names.sort((one, other) => {
    ++count;
    return one.localeCompare(other, undefined, {sensitivity: 'base'});
  });
  return count;
}

// Reporters of variables stand inside inputs, or have no menu.
function menus(target, field) {
  return Object.values(target.blocks)
    .filter(({opcode, fields}) => fields?.[field] && !/^data_(variable|listcontents)$/.test(opcode)).length;
}

function sorting(stage, sprite) {
  const work = {names: 0, menus: 0, comparisons: 0};
  for (const [kind, field] of [['variables', 'VARIABLE'], ['lists', 'LIST']]) {
    const names = [stage, sprite].flatMap((target) => Object.values(target[kind]).map(([name]) => name));
    const count = menus(sprite, field);
    work.names += names.length;
    work.menus += count;
    work.comparisons += comparisons(names) * count;
  }
  return work;
}

const blocksOf = ({blocks}) => Object.keys(blocks).length;

/** Prints the counts and fails if they are too large. */
export function checkWork({targets}) {
  const [stage, ...sprites] = targets;
  const engine = sprites.find(({name}) => name === kEngine);
  const {names, menus: count, comparisons: compared} = sorting(stage, engine);
  console.log(`first sprite: ${sprites[0].name}, ${blocksOf(sprites[0])} blocks; engine: ` +
    `${blocksOf(engine)} blocks, ${names} names, ${count} menus, ${compared} comparisons`);
  assert.equal(blocksOf(sprites[0]), Math.min(...sprites.map(blocksOf)));
  assert.ok(blocksOf(sprites[0]) <= kMostFirstBlocks, 'the editor opens a large sprite');
  assert.ok(compared <= kMostComparisons, 'the editor has too many names to sort');
}
