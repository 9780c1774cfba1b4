// The conversation: what is said, as it comes.

import {texts} from 'sb3lm/texts.mjs';
import {errorText} from 'sb3lm/errors.mjs';
import {element, showError} from 'sb3lm/view.mjs';

export class ChatPanel {
  #engine;
  #bubble = null;  // of the reply that is being made
  #can = false;

  constructor(engine) {
    this.#engine = engine;
    engine.onText = (text) => this.#hear(text);
    element('say').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say(element('message').value.trim());
    });
    element('stop').addEventListener('click', () => engine.stop());
    element('new-chat').addEventListener('click', () => this.#begin());
    document.addEventListener('keydown', ({key}) => {
      if (key === 'Escape' && this.#bubble) engine.stop();
    });
  }

  /** Whether there is somebody to talk to, who is not at other work. */
  allow(can) {
    this.#can = can;
    this.#show();
  }

  clear() {
    element('log').replaceChildren();
    element('speed').textContent = '';
    this.#show();
  }

  /** Questions that the model answers well: buttons, until the conversation has begun. */
  suggest(questions) {
    element('suggestions').replaceChildren(...questions.map((question) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'quiet';
      button.textContent = question;
      button.addEventListener('click', () => this.#say(question));
      return button;
    }));
  }

  note(text) {
    this.#add('note', text);
  }

  #show() {
    const talking = this.#bubble !== null;
    element('send').disabled = !this.#can || talking;
    element('new-chat').disabled = !this.#can || talking;
    element('stop').disabled = !talking;
    element('log').setAttribute('aria-busy', String(talking));
    element('suggestions').hidden = !this.#can || element('log').querySelector('.you') !== null;
  }

  #add(kind, text) {
    const bubble = document.createElement('p');
    bubble.className = kind;
    if (kind !== 'note') {
      const who = document.createElement('span');
      who.className = 'unseen';
      who.textContent = `${texts[kind]}: `;
      bubble.append(who);
    }
    bubble.append(text);
    element('log').append(bubble);
    element('log').scrollTop = element('log').scrollHeight;
    return bubble;
  }

  #hear(text) {
    this.#bubble?.append(text);
    element('log').scrollTop = element('log').scrollHeight;
  }

  async #say(text) {
    if (text === '' || !this.#can || this.#bubble) return;
    showError('');
    element('message').value = '';
    const mine = this.#add('you', text);
    this.#bubble = this.#add('model', '');
    this.#show();
    const start = performance.now();
    try {
      const said = await this.#engine.say(text);
      if (said.code !== 0) {  // what was typed is not lost
        mine.remove();
        this.#bubble.remove();
        element('message').value = text;
        showError(errorText(said));
      } else {
        this.#explain(said, (performance.now() - start) / 1000);
      }
    } catch {  // whoever ended the worker says why
    }
    this.#bubble = null;
    this.#show();
    element('message').focus();
  }

  #explain(said, seconds) {
    element('speed').textContent = texts.speed({said: said.said, seconds});
    if (said.forgotten > 0) this.note(texts.forgot(said.forgotten));
    if (said.stop_reason === 'context full') this.note(texts.memoryFull);
  }

  async #begin() {
    await this.#engine.reset();
    this.clear();
    element('message').focus();
  }
}
