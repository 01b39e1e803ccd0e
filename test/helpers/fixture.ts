/** A scratch directory for all tests of a file: made when the file is loaded, gone when its tests are done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** Makes an empty directory that is removed after all tests of the file. */
export function fixtureDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hacktree-fixture-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
