/**
 * Where file objects come from: the repository and its parents, each with an open `objects` directory, so that finding and
 * linking an object takes one short path each.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, errnoOf } from '../core/index.ts';
import { checkFileObjectType, loosePath, type Repo } from '../repo/index.ts';
import { closeFd, deviceAt, type EntryStat, mkdirAt, openDirAt, statAt } from '../sys/index.ts';
import { canHardlink, type Settings } from './settings.ts';
import { CACHE_DIR } from './uncompressed-cache.ts';

export interface ObjectSource {
  readonly repo: Repo;
  /** Open `objects` directory. */
  readonly objects: number;
  /** Whether objects may be linked into this checkout. */
  readonly canLink: boolean;
  /** Open `uncompressed-objects-cache` directory, where this checkout uses it. */
  readonly cache: number | undefined;
}

/** A file object's place: the source that has it, its name below `objects`, and what is there. */
export interface FoundObject {
  readonly source: ObjectSource;
  readonly name: string;
  readonly stat: EntryStat;
}

/** Opens the repository's and its parents' objects for a checkout into an open directory. */
export function openSources(repo: Repo, settings: Settings, destination: number): ObjectSource[] {
  const device = deviceAt(destination, '');
  const sources: ObjectSource[] = [];
  for (let at: Repo | undefined = repo; at !== undefined; at = at.parent) {
    const objects = openDirAt(-1, `${at.objectsPath}/.`);
    if (objects === undefined) continue;
    const isNear = deviceAt(objects, '') === device;
    const canLink = isNear && !settings.forceCopy && canHardlink(at.mode, settings.userMode);
    sources.push({ repo: at, objects, canLink, cache: isNear && at === repo ? openCache(at, settings) : undefined });
  }
  return sources;
}

/** Opens or makes the cache; undefined where it is switched off, useless or cannot be written. */
function openCache(repo: Repo, settings: Settings): number | undefined {
  if (repo.mode !== 'archive' || !settings.useCache || !repo.config.enableUncompressedCache) return undefined;
  const path = join(repo.path, CACHE_DIR);
  try {
    fs.accessSync(repo.path, fs.constants.W_OK);
    mkdirAt(-1, path, 0o777);
    return openDirAt(-1, `${path}/.`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Closes what openSources opened. */
export function closeSources(sources: readonly ObjectSource[]): void {
  for (const { objects, cache } of sources) {
    closeFd(objects);
    if (cache !== undefined) closeFd(cache);
  }
}

/** Finds a file object; undefined when no source has it. Errors: `object-corrupt` for what no file object can be. */
export function findFile(sources: readonly ObjectSource[], checksum: Checksum): FoundObject | undefined {
  for (const source of sources) {
    const name = loosePath(source.repo.mode, checksum, 'file');
    const stat = statAt(source.objects, name);
    if (stat === undefined) continue;
    checkFileObjectType(source.repo, checksum, stat.mode);
    return { source, name, stat };
  }
  return undefined;
}

/** Name of a bare file object below `objects`, and of an inflated file below the cache directory. */
export function looseName(checksum: Checksum): string {
  return `${checksum.slice(0, 2)}/${checksum.slice(2)}.file`;
}
