// Files that belong to the page: beside it, or inside it where it is one file (assemble.mjs).

async function unzipped(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).blob();
}

/** A Blob. */
export async function asset(name) {
  const inside = document.getElementById(`asset:${name}`);
  if (inside) return unzipped(inside.textContent);
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.blob();
}
