/** Runs commands that change things on two copies of a start: what they say and what they leave must be equal. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { both, copyRepo, type Outcome } from './front-ends.ts';
import type { RunOptions } from './run.ts';
import { scratchDir } from './scratch.ts';

/** A directory for each side. */
export interface Sides {
  readonly real: string;
  readonly ours: string;
}

/** Copies a start for both sides. */
export function copySides(start: string): Sides {
  const place = scratchDir();
  const sides = { real: join(place, 'real'), ours: join(place, 'ours') };
  for (const dir of Object.values(sides)) copyRepo(start, dir);
  return sides;
}

/** Every file of a directory with what is in it; of a repository those that the format speaks of. */
export function contents(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (['tmp', 'extensions', '.lock'].includes(path)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(dir, path))}`;
      else
        found[path] = createHash('sha256')
          .update(readFileSync(join(dir, path)))
          .digest('hex');
    }
  };
  walk('');
  return found;
}

export interface Comparison {
  /** Directory to copy; its repository is `r`. */
  readonly start: string;
  /** Done to each copy first. */
  readonly prepare?: (dir: string) => void;
  readonly env?: RunOptions['env'];
  /** Names in the directory to compare afterwards. */
  readonly names: readonly string[];
}

/** Runs `ostree --repo=r ARGS` on both sides and holds all that it did against each other; returns what it said. */
export function compareSides(args: readonly string[], { start, prepare, env, names }: Comparison): Outcome {
  const sides = copySides(start);
  for (const dir of Object.values(sides)) prepare?.(dir);
  const [ours, real] = both(['--repo=r', ...args], sides, { env });
  expect(ours).toEqual(real);
  for (const name of names) {
    const [left, right] = [sides.ours, sides.real].map((dir) =>
      existsSync(join(dir, name)) ? contents(join(dir, name)) : undefined,
    );
    expect([name, left]).toEqual([name, right]);
  }
  return ours;
}
