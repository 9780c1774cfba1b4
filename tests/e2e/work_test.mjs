// How much the bundled model's project gives Scratch's editor to do; editor_test.mjs has the times.
//   work_test.mjs PATH_OF_SB3LM

import {checkWork, projectOf} from './editor_work.mjs';
import {buildCat, withFolder} from './support.mjs';

await withFolder(async (folder) => {
  checkWork(await projectOf(buildCat(process.argv[2], folder)));
});
