// Serves the harness's own pages and one project file to the browser, on this machine only.
// A project travels over HTTP because the debugging protocol would carry it as one base64 string.

import {createReadStream} from 'node:fs';
import {createServer} from 'node:http';
import {extname} from 'node:path';

const kTypes = {'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml', '.css': 'text/css'};

export class PageServer {
  #server;
  #files;

  /** `files` maps an address such as /page.html to a path. */
  static async start(files) {
    const server = new PageServer(files);
    await new Promise((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  constructor(files) {
    this.#files = new Map(Object.entries(files));
    this.#server = createServer((request, response) => {
      const path = this.#files.get(new URL(request.url, 'http://localhost').pathname);
      if (path === undefined) {
        response.writeHead(404).end();
        return;
      }
      response.setHeader('content-type', kTypes[extname(path)] ?? 'application/octet-stream');
      // Nothing served changes while the server runs; project addresses are never used twice.
      response.setHeader('cache-control', 'max-age=3600');
      createReadStream(path).on('error', () => response.destroy()).pipe(response);
    });
  }

  add(address, path) {
    this.#files.set(address, path);
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
