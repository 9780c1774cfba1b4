// The program in a worker, behind its glue (makeSb3lm), so that the page stays alive while it works.
// One request after the other; only `stop` is heard at once, between two slices of a reply.
/* global makeSb3lm, unpacked */
'use strict';

if (!self.makeSb3lm) importScripts('sb3lm_page.js');

const kSlice = 40;  // ms
const kMore = -1;   // page.cc
const kInput = '/in';

let program;
let lines = [];
let complaints = [];
let letters = new TextDecoder();
let spoken = '';    // and not told yet: the page shows a reply some 25 times a second
let stopped = false;
let mounted = false;

// Bytes in memory, where WORKERFS takes them for a Blob.
class MemoryFile {
  constructor(bytes) { this.bytes = bytes; }
  get size() { return this.bytes.byteLength; }
  slice(from, to) { return new MemoryFile(this.bytes.slice(from, to)); }
}

const blobs = new FileReaderSync();
const reader = {
  readAsArrayBuffer: (part) => (part instanceof MemoryFile ? part.bytes : blobs.readAsArrayBuffer(part)),
};

const tell = (message, transfer = []) => self.postMessage(message, transfer);
// Messages are heard in between; a timer would wait 4 ms each time.
const turns = new MessageChannel();
const turn = () => new Promise((done) => {
  turns.port1.onmessage = done;
  turns.port2.postMessage(null);
});
const outcome = (code) =>
  ({code, output: lines.join('\n'), complaint: complaints.join('\n'), memory: program._page_memory()});

function allocateText(text) {
  const size = program.lengthBytesUTF8(text) + 1;
  const at = program._malloc(size);
  program.stringToUTF8(text, at, size);
  return at;
}

// A function of (argc, argv). The command line's parser leaves the program on its own.
function callWithWords(name, words) {
  const texts = ['sb3lm', ...words].map(allocateText);
  const argv = program._malloc(4 * texts.length);
  texts.forEach((at, i) => new DataView(program.HEAPU8.buffer).setUint32(argv + 4 * i, at, true));
  lines = [];
  complaints = [];
  try {
    return program[name](texts.length, argv);
  } catch (error) {
    if (error?.name !== 'ExitStatus') throw error;
    return error.status;
  } finally {
    [...texts, argv].forEach((at) => program._free(at));
  }
}

// Servers do not always know the type.
async function compiledFile() {
  const response = await fetch('sb3lm_page.wasm');
  if (!response.ok) throw new Error(`sb3lm_page.wasm: ${response.status}`);
  const headers = {'Content-Type': 'application/wasm'};
  return WebAssembly.compileStreaming(new Response(response.body, {headers}));
}

function tellSpoken() {
  if (spoken !== '') tell({event: 'text', text: spoken});
  spoken = '';
}

const answer = () => JSON.parse(program.UTF8ToString(program._page_answer()));

const handlers = {
  // Of the compiled module, or of its file: inside the page, or beside it.
  async start({module, packed}) {
    module ??= await (packed ? unpacked(packed).then(WebAssembly.compile) : compiledFile());
    program = await makeSb3lm({
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
        return {};
      },
      print: (line) => lines.push(line),
      printErr: (line) => complaints.push(line),
      onProgress: (what, fraction) => tell({event: 'progress', what, fraction}),
      onText: (bytes) => { spoken += letters.decode(bytes, {stream: true}); },
    });
    program.WORKERFS.reader = reader;
    program.FS.mkdir(kInput);
    program.FS.mkdir('/out');
    return {module};
  },

  // Files stay where they are until the program reads them.
  async mount({files}) {
    const {FS, WORKERFS} = program;
    program._page_close();
    if (mounted) FS.unmount(kInput);
    const opened = files.map(({name, data}) =>
      ({name, data: data instanceof ArrayBuffer ? new MemoryFile(data) : data}));
    FS.mount(WORKERFS, {blobs: opened}, kInput);
    mounted = true;
    return {};
  },

  async command({words}) {
    return outcome(callWithWords('_page_command', words));
  },

  // A file that a command has written; then it is gone.
  async take({name}) {
    const bytes = program.FS.readFile(name);
    program.FS.unlink(name);
    return {bytes};
  },

  async open({words}) {
    const code = callWithWords('_page_open', words);
    return {...outcome(code), facts: code === 0 ? answer() : null};
  },

  async say({text}) {
    lines = [];
    complaints = [];
    letters = new TextDecoder();
    stopped = false;
    const at = allocateText(text);
    let code = program._page_say(at);
    program._free(at);
    if (code !== 0) return outcome(code);
    do {
      code = program._page_go_on(kSlice);
      tellSpoken();
      await turn();
    } while (code === kMore && !stopped);
    spoken += letters.decode();
    tellSpoken();
    return {...outcome(Math.max(code, 0)), ...(code > 0 ? {} : answer())};
  },

  async reset() {
    program._page_reset();
    return {};
  },
};

let queue = Promise.resolve();
self.onmessage = ({data}) => {
  if (data.call === 'stop') {
    stopped = true;
    return;
  }
  queue = queue.then(async () => {
    try {
      const result = await handlers[data.call](data);
      tell({id: data.id, result}, result.bytes ? [result.bytes.buffer] : []);
    } catch (error) {
      tell({id: data.id, failure: String(error?.stack ?? error)});
    }
  });
};
