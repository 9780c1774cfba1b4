#!/usr/bin/env node
// Packs a project, with the machine that plays it, into one HTML page that needs no network:
//   package.mjs FILE.sb3 [--title TEXT]
// The page goes to stdout. If it fails, {"error": text} does; exit codes are those of run.mjs.

import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {parseArgs} from 'node:util';

import {badInput, Failure, textOf} from './failure.mjs';
import {beside, requirePackage} from './packages.mjs';
import {faultOf, readProject} from './project_file.mjs';

const kUnsupported = 4;

function readBytes(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    throw badInput(`${file}: cannot be read (${error.code})`);
  }
}

// Scratch keeps names of its own extensions; anything else is code that a page would have to fetch.
function refuseRemoteExtensions(file, project) {
  const urls = Object.values(project.extensionURLs ?? {});
  if (urls.length > 0) {
    throw new Failure(kUnsupported, `${file}: it uses the extension ${urls[0]}, which a page ` +
      'without network cannot load');
  }
}

// One of the stage's lists: its items.
function listOf(project, wanted) {
  const stage = project.targets.find((target) => target.isStage);
  return Object.values(stage?.lists ?? {}).find(([name]) => name === wanted)?.[1];
}

// Whether the project has our chat's interface: then the page gets a text box of its own.
function hasChat(project) {
  return listOf(project, 'interface texts') !== undefined &&
    project.targets.some(({broadcasts}) => Object.values(broadcasts ?? {}).includes('chat'));
}

// The name that the model was built with, or the file's.
function titleOf(file, project) {
  try {
    const {title} = JSON.parse(listOf(project, 'model info')[0]);
    if (typeof title === 'string' && title !== '') return title;
  } catch {
    // A project without a model.
  }
  return basename(file, '.sb3');
}

function choose(options, title) {
  options.username = 'player';  // the default draws lots, and no two pages would be the same
  options.autoplay = true;
  options.highQualityPen = true;  // the chat is drawn with the pen
  options.cloudVariables.mode = 'ignore';
  options.bakeExtensions = false;
  options.app.windowTitle = title;
  options.app.packageName = 'sb3lm';
  options.loadingScreen.text = title;
  options.loadingScreen.progressBar = true;
  options.appearance.background = '#f4f8ff';
  options.appearance.foreground = '#2b3a55';
}

function addChatPanel({custom}) {
  custom.js = readFileSync(beside('chat_panel.js'), 'utf8');
  custom.css = readFileSync(beside('chat_panel.css'), 'utf8');
}

async function packageProject(file, asked) {
  const bytes = readBytes(file);
  const fault = await faultOf(bytes);
  if (fault) throw badInput(`${file}: not a Scratch project: ${fault}`);
  const project = await readProject(bytes);
  refuseRemoteExtensions(file, project);
  const {loadProject, Packager} = requirePackage('@turbowarp/packager');
  const loaded = await loadProject(bytes);
  // It zips the project anew, larger than it came.
  loaded.arrayBuffer = new Uint8Array(bytes).buffer;
  const packager = new Packager();
  packager.project = loaded;
  choose(packager.options, asked ?? titleOf(file, project));
  if (hasChat(project)) addChatPanel(packager.options);
  const {data} = await packager.package();
  return Buffer.from(data);
}

function leave(exit_code, output) {
  process.stdout.write(output, () => process.exit(exit_code));
}

async function main() {
  const {values: options, positionals} = parseArgs({
    allowPositionals: true, options: {title: {type: 'string'}},
  });
  if (positionals.length !== 1) throw badInput('usage: package.mjs FILE.sb3 [--title TEXT]');
  // Packages log to stdout, which belongs to the page.
  console.log = console.error;
  leave(0, await packageProject(positionals[0], options.title));
}

main().catch((error) => {
  const known = error instanceof Failure || error.code?.startsWith('ERR_PARSE_ARGS');
  if (!known) process.stderr.write(`package.mjs: ${error.stack ?? textOf(error)}\n`);
  leave(known ? error.exit_code ?? 3 : 70, `${JSON.stringify({error: textOf(error)})}\n`);
});
