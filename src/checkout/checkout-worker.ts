/** Worker entry: checks out directories as the main thread does. */
import { openRepo } from '../repo/index.ts';
import { openLabels } from './labels.ts';
import { openWork, type Work, type WorkInit } from './work.ts';

export function createWorker(init: WorkInit): Work {
  return openWork(init, openRepo(init.repoPath), openLabels(init.settings));
}
