/** Which cache file belongs to a source tree: by its real path and by everything that changes the outcome. */
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { checksumOf, utf8 } from '../../core/index.ts';
import { ownDir } from '../layout.ts';
import type { Repo } from '../repo.ts';
import type { Modifiers } from './modifiers.ts';

export function statCachePath(repo: Repo, source: string, modifiers: Modifiers): string {
  const { overrides, skip, idMap, ...plain } = modifiers;
  const outcome = {
    ...plain,
    overrides: [...overrides],
    skip: [...skip],
    idMap: idMap === undefined ? [] : [[...idMap.uids], [...idMap.gids]],
    canonical: repo.mode === 'bare-user-only',
    disableXattrs: repo.config.disableXattrs,
  };
  const key = checksumOf(utf8(`${realPath(source)}\0${JSON.stringify(outcome)}`));
  return join(ownDir(repo.path), 'stat-cache', key);
}

/** A source that is not there is the scan's error to report. */
function realPath(source: string): string {
  return fs.existsSync(source) ? fs.realpathSync(source) : resolve(source);
}
