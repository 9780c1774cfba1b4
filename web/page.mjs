// The page: a model is opened, talked to, and made a project. The parts are in modules of their own.

import {asset} from 'sb3lm/assets.mjs';
import {askForModel} from 'sb3lm/ask.mjs';
import {BuildPanel} from 'sb3lm/build.mjs';
import {ChatPanel} from 'sb3lm/chat.mjs';
import {Cancelled, Engine} from 'sb3lm/engine.mjs';
import {errorText, failureText} from 'sb3lm/errors.mjs';
import {droppedFiles, modelOf, namedFiles} from 'sb3lm/model_files.mjs';
import {Bar, stageText} from 'sb3lm/progress.mjs';
import {texts} from 'sb3lm/texts.mjs';
import {element, fillTexts, showError} from 'sb3lm/view.mjs';

const kCat = ['model.safetensors', 'tokenizer.json'];

fillTexts();
const engine = new Engine();
const chat = new ChatPanel(engine);
const build = new BuildPanel(engine, work);
let model = null;   // {title, path, files, facts}, once it is open
let working = false;
let bar = new Bar();

engine.onProgress = ({what, fraction}) => {
  element('bar').value = bar.report(what, Math.max(0, fraction));
  element('stage').textContent = stageText(what);
};

function allow(can) {
  chat.allow(can && Boolean(model?.facts.can_talk));
  build.allow(can && model !== null);
}

// A task behind the bar. Nothing if it was cancelled or failed, which is said then.
async function work(task) {
  working = true;
  bar = new Bar();
  element('bar').value = 0;
  element('stage').textContent = texts.otherStage;
  element('work').hidden = false;
  allow(false);
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof Cancelled)) showError(failureText(error));
    return null;
  } finally {
    working = false;
    element('work').hidden = true;
    allow(true);
  }
}

async function openModel({title, path, files}) {
  await engine.mount(files);
  const opened = await engine.open(['run', path, '--chat']);
  if (opened.code !== 0) throw new Error(errorText(opened));
  return {title, path, files, facts: opened.facts};
}

function showModel({title, facts}) {
  const about = [texts.recognised({...facts, name: title})];
  if (facts.is_sb3) about.push(texts.isProject);
  if (!facts.can_talk) about.push(texts.noTokenizer);
  element('recognised').textContent = about.join(' ');
}

async function take(given) {
  if (working) engine.cancel();
  showError('');
  const wanted = modelOf(given);
  if (!wanted) return showError(texts.noFiles);
  model = null;
  element('recognised').textContent = `${texts.opening} …`;
  const opened = await work(() => openModel(wanted));
  if (!opened) {
    element('recognised').textContent = texts.nothingOpen;
    return;
  }
  model = opened;
  chat.suggest(model.facts.suggestions);
  chat.clear();
  showModel(model);
  build.show(model);
  allow(true);
  if (model.facts.is_sb3) await build.report(model.path);
}

async function takeCat() {
  await take(await Promise.all(kCat.map(async (name) =>
    ({name: `${texts.catName}/${name}`, data: await asset(`cat/${name}`)}))));
}

// The worker is gone, and with it the model: it is opened again from the files.
async function cancel() {
  engine.cancel();
  showError('');
  if (!model) return;
  const again = model;
  const opened = await work(() => openModel(again));
  model = opened;
  allow(true);
  element('stage').textContent = texts.cancelled;
  chat.note(`${texts.cancelled} ${texts.startedOver}`);
}

function listenToFiles() {
  for (const [button, input] of [['choose-files', 'files'], ['choose-folder', 'folder']]) {
    element(button).addEventListener('click', () => element(input).click());
    element(input).addEventListener('change', ({target}) => {
      const files = namedFiles(target.files);
      target.value = '';  // so that the same file can be chosen again
      if (files.length > 0) take(files);
    });
  }
  element('cat').addEventListener('click', takeCat);
  element('cancel').addEventListener('click', cancel);
  for (const type of ['dragover', 'dragleave', 'drop']) {
    document.addEventListener(type, async (event) => {
      event.preventDefault();
      element('drop').classList.toggle('over', type === 'dragover');
      if (type !== 'drop') return;
      const files = await droppedFiles(event.dataTransfer);
      await take(files);
    });
  }
}

async function start() {
  listenToFiles();
  allow(false);
  if (location.protocol.startsWith('http') && 'serviceWorker' in navigator &&
      !document.getElementById('asset:worker.js')) {
    navigator.serviceWorker.register('service_worker.js').catch(() => {});
  }
  const linked = new URLSearchParams(location.hash.slice(1)).getAll('model');
  if (linked.length > 0) {
    const files = await askForModel(linked);
    if (files) return take(files);
  }
  await takeCat();
}

start().catch((error) => showError(`${texts.brokenPage} (${failureText(error)})`));
