// What the program says on an error, in the page's words: files by their names, controls instead of
// options of the command line.

import {texts} from 'sb3lm/texts.mjs';
import {Broken} from 'sb3lm/engine.mjs';

const kBug = 70;

const ofControls = (text) => text.replace(/--[a-z][a-z0-9-]*/g,
  (option) => texts.controls[option] ?? texts.otherControl(option.slice(2)));

/** `code` and `complaint` as worker.js has them. */
export function errorText({code, complaint}) {
  const text = complaint.split('\n').filter((line) => !line.startsWith('note: ')).join('\n');
  const plain = ofControls(text.replaceAll('/in/model/', '').replaceAll('/in/', '')
    .replaceAll('/out/', '')).trim();
  if (/^not enough memory/.test(plain)) return texts.outOfMemory;
  return code === kBug ? `${plain}\n${texts.bug}` : plain;
}

/** Of what went wrong outside the program's own checks. */
export function failureText(error) {
  if (!(error instanceof Broken)) return String(error?.message ?? error);
  const text = error.message;
  if (/memory|allocat/i.test(text)) return texts.outOfMemory;
  return `${text.split('\n')[0]}\n${texts.bug}`;
}
