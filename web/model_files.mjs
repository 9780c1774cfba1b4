// What people give the page, as a list of {name, data} for the worker, and the name to call it by;
// data are a Blob, or bytes where they are at hand.
// Which of the files is the checkpoint, the program decides.

const kIgnored = /(^|\/)\.|\.(md|png|jpe?g|gif|onnx|h5|msgpack|ot|tflite)$/i;

// Folders that were dropped, without recursion: nobody knows how deep they are.
async function filesIn(entries) {
  const found = [];
  const waiting = entries.map((entry) => ({entry, path: entry.name}));
  while (waiting.length > 0) {
    const {entry, path} = waiting.pop();
    if (entry.isFile) {
      found.push({name: path, data: await new Promise((done, fail) => entry.file(done, fail))});
      continue;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (some.length === 0) break;
      waiting.push(...some.map((child) => ({entry: child, path: `${path}/${child.name}`})));
    }
  }
  return found;
}

/** Of a drop's DataTransfer, which must be asked before anything is awaited. */
export function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length > 0) return filesIn(entries);
  return Promise.resolve(namedFiles(transfer.files));
}

export const namedFiles = (files) =>
  [...files].map((file) => ({name: file.webkitRelativePath || file.name, data: file}));

// llama2.c's tokenizers are called tok512.bin and the like.
function companionName(name, names) {
  const [, ending] = /^tok[^/]*\.(bin|model|json)$/i.exec(name) ?? [];
  const usual = `tokenizer.${ending}`;
  return ending && !/^tokenizer/i.test(name) && !names.has(usual) ? usual : name;
}

const sizeOf = ({data}) => data.size ?? data.byteLength;
const stemOf = (name) => name.replace(/\.[^./]*$/, '');

/** {title, path, files}: what to mount at /in, and what to open there. Nothing without any file. */
export function modelOf(given) {
  const wanted = given.filter(({name}) => !kIgnored.test(name));
  if (wanted.length === 0) return null;
  if (wanted.length === 1 && !wanted[0].name.includes('/')) {
    return {title: stemOf(wanted[0].name), path: `/in/${wanted[0].name}`, files: wanted};
  }
  const top = wanted[0].name.split('/')[0];
  if (wanted.every(({name}) => name.startsWith(`${top}/`))) {
    return {title: top, path: `/in/${top}`, files: wanted};
  }
  const names = new Set(wanted.map(({name}) => name));
  const heaviest = wanted.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
  const files = wanted.map(({name, data}) => ({name: `model/${companionName(name, names)}`, data}));
  return {title: stemOf(heaviest.name), path: '/in/model', files};
}
