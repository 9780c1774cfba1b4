// The finished project in TurboWarp's player, inside the page and shut off from it: it gets the
// project's bytes and nothing else.

import {asset} from 'sb3lm/assets.mjs';
import {texts} from 'sb3lm/texts.mjs';
import {element} from 'sb3lm/view.mjs';

let stop = () => {};

export function closePlayer() {
  stop();
  element('player').replaceChildren();
}

export async function openPlayer(bytes) {
  closePlayer();
  const page = await (await asset('player.html')).text();
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.title = texts.player;
  frame.srcdoc = page;
  const listening = new AbortController();
  stop = () => listening.abort();
  addEventListener('message', ({source}) => {
    if (source === frame.contentWindow) source.postMessage(bytes, '*');
  }, listening);
  element('player').replaceChildren(frame);
  frame.scrollIntoView({block: 'nearest'});
}
