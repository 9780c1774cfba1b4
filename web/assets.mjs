// Files that belong to the page: beside it, or inside it where it is one file (assemble.mjs).

// Blobs would make a detour through another process of the browser.
function unzipped(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = letters.charCodeAt(i);
  return new Response(new Response(bytes).body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

/** An ArrayBuffer. */
export async function asset(name) {
  const inside = document.getElementById(`asset:${name}`);
  if (inside) return unzipped(inside.textContent);
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}
