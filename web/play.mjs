// The finished project in TurboWarp's player, inside the page. Not in a sandbox: the player measures
// pictures in a frame of its own, which must have its origin. All that it plays was made here.

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
  const frame = document.createElement('iframe');
  frame.title = texts.player;
  frame.srcdoc = new TextDecoder().decode(await asset('player.html'));
  const listening = new AbortController();
  stop = () => listening.abort();
  addEventListener('message', ({source}) => {
    if (source === frame.contentWindow) source.postMessage(bytes, '*');
  }, listening);
  element('player').replaceChildren(frame);
  frame.scrollIntoView({block: 'nearest'});
}
