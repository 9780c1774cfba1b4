// Small things that the page's parts share.

import {texts} from 'sb3lm/texts.mjs';

export const element = (id) => document.getElementById(id);

/** Puts the fixed texts where index.html says. */
export function fillTexts() {
  document.documentElement.lang = texts.locale;
  document.title = texts.title;
  for (const node of document.querySelectorAll('[data-text]')) node.textContent = texts[node.dataset.text];
  for (const node of document.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', texts[node.dataset.label]);
  }
  for (const node of document.querySelectorAll('[data-hint]')) node.placeholder = texts[node.dataset.hint];
}

export function fillChoices(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  select.value = chosen;
}

export function showError(text) {
  element('problem').hidden = text === '';
  element('error').textContent = text;
  if (text !== '') element('problem').scrollIntoView({block: 'nearest'});
}

export function listItem(...content) {
  const item = document.createElement('li');
  item.append(...content);
  return item;
}
