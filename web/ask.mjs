// #model=ADDRESS: the only thing that the page ever asks the network for, and only after two
// questions: whether to ask the address for its size, and whether to load that much.

import {texts} from 'sb3lm/texts.mjs';
import {element, showError} from 'sb3lm/view.mjs';

// True for yes.
function question(size, yes) {
  element('ask-size').textContent = size;
  element('ask-yes').textContent = yes;
  const dialog = element('ask');
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    const listening = new AbortController();
    const answer = (value) => {
      listening.abort();
      done(value);
    };
    element('ask-yes').addEventListener('click', () => answer(true), listening);
    element('ask-no').addEventListener('click', () => answer(false), listening);
    dialog.addEventListener('cancel', () => answer(false), listening);
  });
}

const nameOf = (address) => decodeURIComponent(address.pathname.split('/').pop()) || 'model';

/** {name, data} of each address, or nothing. */
export async function askForModel(links) {
  let addresses;
  try {
    addresses = links.map((link) => new URL(link, location.href));
  } catch {
    return null;
  }
  if (addresses.some(({protocol}) => !/^https?:$/.test(protocol))) return null;
  element('ask-address').textContent = addresses.map(({href}) => href).join('\n');
  try {
    if (!await question('', texts.askLook)) return null;
    // Headers come first; nothing else is read before the second answer.
    const stopping = new AbortController();
    const responses = await Promise.all(addresses.map((address) =>
      fetch(address, {credentials: 'omit', referrerPolicy: 'no-referrer', signal: stopping.signal})));
    if (responses.some(({ok}) => !ok)) throw new Error('refused');
    const sizes = responses.map(({headers}) => Number(headers.get('content-length')));
    const total = sizes.every((size) => size > 0) ? sizes.reduce((a, b) => a + b) : 0;
    if (!await question(texts.askSize(total), texts.askLoad)) {
      stopping.abort();
      return null;
    }
    element('recognised').textContent = `${texts.fetching} …`;
    element('ask').close();
    const blobs = await Promise.all(responses.map((response) => response.blob()));
    return blobs.map((data, i) => ({name: nameOf(addresses[i]), data}));
  } catch {
    showError(texts.unreachable(addresses.map(({href}) => href).join(', ')));
    return null;
  } finally {
    element('ask').close();
  }
}
