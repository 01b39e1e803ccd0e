/** The generated pages of docs/ say what the sources say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { VERSION } from '../../src/core/index.ts';
import { PROJECT_DIR, run } from '../helpers/run.ts';

it('docs/errors.md and docs/commands.md are up to date', () => {
  const { status, stderr } = run(process.execPath, [join(PROJECT_DIR, 'scripts/gen-docs.mjs'), '--check']);
  expect([status, stderr]).toEqual([0, '']);
});

it('knows its own version', () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8'));
  expect(VERSION).toBe(version);
});
