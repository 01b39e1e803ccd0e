/** Listing what is in objects/: every loose object with its type, directory by directory. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, isChecksum } from '../core/index.ts';
import { OBJECT_TYPE_NUMBER, type ObjectName, type ObjectType } from '../format/index.ts';
import type { Repo } from './repo.ts';

/** Name of a directory of objects. */
export const OBJECT_PREFIX = /^[0-9a-f]{2}$/;

/** Parses the name of a loose object's file; undefined for anything else. */
export function parseLooseName(prefix: string, name: string): ObjectName | undefined {
  const checksum = `${prefix}${name.slice(0, 62)}`;
  if (name[62] !== '.' || !isChecksum(checksum)) return undefined;
  const extension = name.slice(63);
  const type = (extension === 'filez' ? 'file' : extension) as ObjectType;
  return OBJECT_TYPE_NUMBER[type] === undefined ? undefined : { checksum, type };
}

/** Yields all objects of a repository (without its parent), one directory at a time, unsorted within it. */
export function* listObjects(repo: Repo): Generator<ObjectName> {
  const objects = repo.objectsPath;
  for (const prefix of fs.readdirSync(objects).sort()) {
    if (!OBJECT_PREFIX.test(prefix)) continue;
    for (const name of fs.readdirSync(join(objects, prefix))) {
      const object = parseLooseName(prefix, name);
      if (object === undefined) continue;
      // In an archive a `.file` is no object, elsewhere a `.filez` is none.
      if (object.type !== 'file' || name.endsWith('z') === (repo.mode === 'archive')) yield object;
    }
  }
}

/** Lists the checksums of all commit objects, sorted. */
export function listCommits(repo: Repo): Checksum[] {
  const commits: Checksum[] = [];
  for (const prefix of fs.readdirSync(repo.objectsPath)) {
    if (!OBJECT_PREFIX.test(prefix)) continue;
    for (const name of fs.readdirSync(join(repo.objectsPath, prefix))) {
      const object = name.endsWith('.commit') ? parseLooseName(prefix, name) : undefined;
      if (object !== undefined) commits.push(object.checksum);
    }
  }
  return commits.sort();
}
