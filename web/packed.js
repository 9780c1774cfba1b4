// Files inside the one file (assemble.mjs): in gzip and base64. For the page and for its worker.
'use strict';

/* exported unpacked */
/** A Response. Blobs would make a detour through another process of the browser. */
function unpacked(text, type) {
  const bytes = Uint8Array.fromBase64?.(text) ??
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Response(bytes).body.pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream, {headers: {'Content-Type': type}});
}
