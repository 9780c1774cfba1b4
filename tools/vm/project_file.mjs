// What a project file is and whether it is whole, by the Scratch Foundation's own parser.

import {requirePackage} from './packages.mjs';
import {textOf} from './failure.mjs';

function missingAssets(project, zip) {
  const assets = project.targets.flatMap((target) => [...target.costumes, ...target.sounds]);
  return assets.map((asset) => asset.md5ext ?? `${asset.assetId}.${asset.dataFormat}`)
    .filter((name) => !zip.file(name));
}

/** Each name once: "a.svg, b.svg (3 times)". */
function counted(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} (${count} times)` : name))
    .join(', ');
}

function parse(bytes) {
  return new Promise((resolve, reject) => {
    requirePackage('scratch-parser')(bytes, false, (error, parsed) => {
      if (error) reject(error);
      else resolve(parsed);
    });
  });
}

/** What is wrong with a project's bytes (zip, JSON, schema, assets), or null. */
export async function faultOf(bytes) {
  requirePackage('scratch-parser');  // a missing package is no fault of the file
  try {
    const [project, zip] = await parse(bytes);
    if (!zip) return 'not a zip file';
    const missing = missingAssets(project, zip);
    return missing.length > 0 ? `not in the zip: ${counted(missing)}` : null;
  } catch (error) {
    return textOf(error).replaceAll(/\s+/g, ' ');
  }
}

/** project.json of a project without fault. */
export async function readProject(bytes) {
  return (await parse(bytes))[0];
}
