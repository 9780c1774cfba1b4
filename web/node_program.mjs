// The program as WebAssembly in Node, for what puts the page together and for tests.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';

/** `folder` has sb3lm_page.js and .wasm. Files are in memory: `module.FS`. */
export class NodeProgram {
  #said = {lines: [], complaints: []};

  static async start(folder) {
    const program = new NodeProgram();
    const make = createRequire(import.meta.url)(resolve(folder, 'sb3lm_page.js'));
    program.module = await make({
      wasmBinary: readFileSync(join(folder, 'sb3lm_page.wasm')),
      print: (line) => program.#said.lines.push(line),
      printErr: (line) => program.#said.complaints.push(line),
      onProgress() {},
      onText() {},
    });
    return program;
  }

  /** {code, output, complaint} of a command line. */
  run(...words) {
    const {module} = this;
    this.#said.lines = [];
    this.#said.complaints = [];
    const texts = ['sb3lm', ...words].map((word) => this.#place(word));
    const argv = module._malloc(4 * texts.length);
    texts.forEach((at, i) => new DataView(module.HEAPU8.buffer).setUint32(argv + 4 * i, at, true));
    const code = this.#command(texts.length, argv);
    return {code, output: this.#said.lines.join('\n'), complaint: this.#said.complaints.join('\n')};
  }

  // The command line's parser leaves the program on its own.
  #command(argc, argv) {
    try {
      return this.module._page_command(argc, argv);
    } catch (error) {
      if (error?.name !== 'ExitStatus') throw error;
      return error.status;
    }
  }

  #place(text) {
    const size = this.module.lengthBytesUTF8(text) + 1;
    const at = this.module._malloc(size);
    this.module.stringToUTF8(text, at, size);
    return at;
  }
}
