// Making a project: the choices, the work, and what came of it.

import {texts} from 'sb3lm/texts.mjs';
import {errorText} from 'sb3lm/errors.mjs';
import {closePlayer, openPlayer} from 'sb3lm/play.mjs';
import {element, fillChoices, listItem, showError} from 'sb3lm/view.mjs';

const kContexts = [32, 64, 128, 256, 512, 1024, 2048];
const kUsualContext = 2048;  // what the program makes of longer ones
const kBits = [8, 7, 6, 5, 4, 3, 2];
const kOut = '/out/';
const kReport = `${kOut}report.html`;

// "verified: 4 positions, 2048 logits each, largest relative error 2.3e-15"
const kProof = /verified: (\d+) positions, (\d+) logits each, largest relative error (\S+)/;

const usualContext = (facts) => Math.min(facts.context, kUsualContext);
const fileName = (title) =>
  `${title.replace(/[^\p{L}\p{N} ._-]/gu, '').trim().slice(0, 60) || 'model'}.sb3`;

export class BuildPanel {
  #engine;
  #work;
  #model = null;
  #extra = [];  // what advice has added
  #bytes = null;  // of the project, for the player

  /** `work(task)` runs a task behind the bar, and returns nothing if it was cancelled. */
  constructor(engine, work) {
    this.#engine = engine;
    this.#work = work;
    element('build').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#extra = [];
      this.#build();
    });
    element('play').addEventListener('click', () => openPlayer(this.#bytes));
    fillChoices(element('target'), Object.entries(texts.targets), 'sb3');
    fillChoices(element('level'), Object.entries(texts.levels), 'default');
    fillChoices(element('bits'),
      [['', texts.bitsOfModel], ...kBits.map((bits) => [String(bits), texts.bitsCount(bits)])], '');
    for (const id of ['context', 'target', 'level']) {
      element(id).addEventListener('change', () => this.#explain());
    }
  }

  /** `facts` as page.cc has them; `path` is where the worker finds the model. */
  show({facts, path, title}) {
    this.#model = {facts, path, title};
    closePlayer();
    element('made').hidden = true;
    element('building').hidden = facts.is_sb3;
    element('title').value = title;
    const shorter = kContexts.filter((context) => context < usualContext(facts));
    fillChoices(element('context'), [['', texts.contextOfModel(usualContext(facts))],
      ...shorter.map((context) => [String(context), texts.contextTokens(context)])], '');
    this.#explain();
  }

  allow(can) {
    element('make').disabled = !can || !this.#model;
    for (const button of element('advice-list').querySelectorAll('button')) button.disabled = !can;
  }

  /** What is in a project that was opened. */
  async report(path) {
    const made = await this.#work(async () => ({report: await this.#measure(path)}));
    if (made) this.#showMade({...made, title: texts.reportTitle});
  }

  #explain() {
    const {facts} = this.#model;
    element('context-note').textContent =
      texts.contextNote(Number(element('context').value) || usualContext(facts));
    element('target-note').textContent = texts.targetNotes[element('target').value];
    element('level-note').textContent = texts.levelNotes[element('level').value];
  }

  #words(out) {
    const words = ['build', this.#model.path, '-o', out, '--allow-over-budget',
      '--title', element('title').value || this.#model.title,
      '--target', element('target').value, '--level', element('level').value];
    for (const [option, id] of [['--context', 'context'], ['--bits', 'bits']]) {
      if (element(id).value !== '') words.push(option, element(id).value);
    }
    return [...words, ...this.#extra];
  }

  async #measure(path) {
    const said = await this.#engine.command(['report', path, '--json', '--html', kReport]);
    if (said.code !== 0) throw new Error(errorText(said));
    const {bytes} = await this.#engine.take(kReport);
    return {figures: JSON.parse(said.output), page: new TextDecoder().decode(bytes).replaceAll(kOut, '')};
  }

  async #build() {
    showError('');
    element('made').hidden = true;
    const name = fileName(element('title').value);
    const out = kOut + name;
    const start = performance.now();
    const made = await this.#work(async () => {
      const built = await this.#engine.command(this.#words(out));
      if (built.code !== 0) throw new Error(errorText(built));
      const seconds = (performance.now() - start) / 1000;
      const report = await this.#measure(out);
      const {bytes} = await this.#engine.take(out);
      return {built, bytes, name, seconds, report};
    });
    if (!made) return;
    this.#showMade({...made, title: texts.madeTitle});
    element('made-title').focus();
  }

  #showMade({title, name, bytes, built, seconds, report: {figures, page}}) {
    element('made-title').textContent = title;
    this.#showDownload(name, bytes);
    this.#showSize(figures);
    const [, positions, logits, error] = kProof.exec(built?.output ?? '') ?? [];
    element('proof').textContent = positions ?
      texts.proof({positions: Number(positions), logits: Number(logits), error}) : '';
    element('facts').textContent = [
      built && texts.made({seconds, memory: built.memory}),
      figures.load && texts.loading({
        turbowarp: figures.load.turbowarp_seconds, scratch: figures.load.scratch_seconds}),
    ].filter(Boolean).join(' ');
    this.#showAdvice(built ? figures.advice : []);
    element('next').hidden = !built;
    element('next-text').textContent = element('target').value === 'site' ? texts.nextSite : texts.next;
    element('report').srcdoc = page;
    element('made').hidden = false;
  }

  #showDownload(name, bytes) {
    const link = element('download');
    if (link.href) URL.revokeObjectURL(link.href);
    link.hidden = element('play').hidden = !bytes;
    this.#bytes = bytes;
    closePlayer();
    if (!bytes) return;
    link.href = URL.createObjectURL(new Blob([bytes], {type: 'application/x.scratch.sb3'}));
    link.download = name;
    link.textContent = texts.download(name);
  }

  #showSize({sb3_bytes: bytes, limits}) {
    const target = this.#model.facts.is_sb3 ? 'sb3' : element('target').value;
    const ours = limits.filter((limit) => limit.target === target);
    const isFile = ({what}) => what === 'bytes of the .sb3';
    const {limit} = [...ours, ...limits].find(isFile);
    element('size').value = Math.min(1, bytes / limit);
    element('size-text').textContent = texts.sizeOf({bytes, limit});
    element('over').replaceChildren(...ours
      .filter((one) => one.verdict === 'over' && !isFile(one))
      .map((over) => listItem(texts.overOf(over))));
  }

  // What an option of build does is a button; the rest is for the command line.
  #showAdvice(advice) {
    element('advice').hidden = advice.length === 0;
    element('advice-list').replaceChildren(...advice.map((one) => {
      if (!/^--[a-z-]+ \S+$/.test(one.how)) return listItem(texts.adviceCommand(one));
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'quiet';
      button.textContent = texts.advice(one);
      button.addEventListener('click', () => this.#follow(one.how.split(' ')));
      return listItem(button);
    }));
  }

  // Where there is a control it shows the change.
  #follow([option, value]) {
    const control = element(option.slice(2));
    if (control?.tagName === 'SELECT') {
      if (![...control.options].some((choice) => choice.value === value)) {
        control.add(new Option(texts.contextTokens(Number(value)), value));
      }
      control.value = value;
      this.#explain();
    } else {
      this.#extra = [...this.#extra.filter((_, i, all) => all[i - i % 2] !== option), option, value];
    }
    this.#build();
  }
}
