// Stages of the program as one bar. Stages come one after the other, each with a fraction of its own
// or none; their weights are about how long each takes.

import {texts} from 'sb3lm/texts.mjs';

const kWeights = {
  'reading weights': 3,
  'quantising': 2,
  'choosing encodings': 6,
  'making blocks': 2,
  'writing project.json': 3,
  'compressing': 24,
  'reading back': 4,
  'loading': 16,
  'thinking': 14,
  'reading a page of English': 16,
  'measuring': 10,
};
const kTotal = Object.values(kWeights).reduce((sum, weight) => sum + weight, 0);

const keyOf = (table, what) => Object.keys(table).find((key) => what.startsWith(key));

/** What a stage is called on the page. */
export const stageText = (what) => texts.stages[keyOf(texts.stages, what)] ?? texts.otherStage;

export class Bar {
  #done = new Map();
  #shown = 0;

  /** The whole, from 0 to 1; it never goes back. */
  report(what, fraction) {
    const key = keyOf(kWeights, what);
    // Whatever began before has ended.
    for (const other of this.#done.keys()) if (other !== key) this.#done.set(other, 1);
    if (key) this.#done.set(key, Math.max(this.#done.get(key) ?? 0, fraction));
    let sum = 0;
    for (const [name, part] of this.#done) sum += part * kWeights[name];
    this.#shown = Math.max(this.#shown, Math.min(1, sum / kTotal));
    return this.#shown;
  }
}
