// Writes the pictures of docs/: the chat at three moments and its settings, and two scripts drawn by
// the npm package scratchblocks.
//   pictures.mjs PATH_OF_SB3LM FOLDER

import {writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {chat} from './chat.mjs';
import {ProjectPage} from './project_page.mjs';
import {buildCat, sb3lm, withFolder} from './support.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';
import {packageFile} from '../../tools/vm/packages.mjs';

const kScripts = {'blocks-attention': 'attend 1', 'blocks-pick': 'pick'};

async function drawChat(chromium, binary, project, folder, out) {
  const html = join(folder, 'chat.html');
  sb3lm(binary, 'package', project, '-o', html);
  const page = await ProjectPage.open(chromium, html, 2);
  await chat(page, (name) => page.picture(join(out, `chat-${name}.png`)));
  await page.close();
}

// A definition's text without its comment, which would be one long line, and all heads: blocks that
// are not defined are drawn as broken.
function textOf(blocks, name) {
  const scripts = blocks.split('\n\n');
  const wanted = scripts.find((script) => script.startsWith(`define ${name}`));
  if (!wanted) throw new Error(`the project has no block '${name}'`);
  const heads = scripts.filter((script) => script.startsWith('define ') && script !== wanted);
  const headOf = (script) => script.split('\n')[0].replace(/ \/\/.*/, '');
  return [[headOf(wanted), ...wanted.split('\n').slice(1)].join('\n'), ...heads.map(headOf)]
    .join('\n\n');
}

async function drawScripts(chromium, binary, project, out) {
  const blocks = sb3lm(binary, 'inspect', '--blocks', project);
  const page = await chromium.newPage();
  await page.addScriptTag({path: packageFile('scratchblocks', 'build/scratchblocks.min.js')});
  for (const [file, name] of Object.entries(kScripts)) {
    const svg = await page.evaluate((text) => {
      const {scratchblocks} = window;
      scratchblocks.appendStyles();
      const document_ = scratchblocks.parse(text);
      document_.scripts.length = 1;
      const view = scratchblocks.newView(document_, {style: 'scratch3', scale: 0.675});
      view.render();
      return view.exportSVGString();
    }, textOf(blocks, name));
    writeFileSync(join(out, `${file}.svg`), `${svg}\n`);
  }
  await page.close();
}

await withFolder(async (folder) => {
  const [binary, out] = process.argv.slice(2);
  const project = buildCat(binary, folder);
  const chromium = await launchChromium();
  try {
    await drawScripts(chromium, binary, project, out);
    await drawChat(chromium, binary, project, folder, out);
  } finally {
    await chromium.close();
  }
});
