/** Scratch directories that are gone after each test. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, afterEach } from '@jest/globals';

const made: string[] = [];
const kept: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) fs.rmSync(dir, { recursive: true, force: true });
});

afterAll(() => {
  for (const dir of kept.splice(0)) fs.rmSync(dir, { recursive: true, force: true });
});

/** Makes an empty directory that is removed after all tests of the file, for a beforeAll(). */
export function keptScratchDir(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hacktree-test-'));
  kept.push(dir);
  return dir;
}

/** Makes an empty directory below `base` that is removed after the test. */
export function scratchDir(base: string = os.tmpdir()): string {
  const dir = fs.mkdtempSync(path.join(base, 'hacktree-test-'));
  made.push(dir);
  return dir;
}
