/** kill -9 at any step of a merge: what it reads is untouched, and doing it again gives the right result. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defaultEtcPolicy, planEtcMerge } from '../../src/etc/index.ts';
import { requireRoot, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { copyTree, readTree, type TreeEntries, writeTree } from './trees.ts';

const asRoot = requireRoot() ? it : it.skip;

const text = 'a\nb\nc\nd\ne\n';
const BASE: TreeEntries = {
  merged: text,
  conflict: '0\n',
  gone: '0\n',
  d: { dir: { x: '0\n', y: '0\n' } },
  turned: '0\n',
  link: { link: 'a' },
};
const USER: TreeEntries = {
  merged: text.replace('a', 'A'),
  conflict: 'u\n',
  d: { dir: { x: 'u\n', y: '0\n', z: 'u\n' }, mode: 0o700 },
  turned: { dir: { in: 'u\n' } },
  link: { link: 'u' },
  added: { file: 'u\n', mode: 0o600, uid: 7 },
};
const NEXT: TreeEntries = { ...BASE, merged: text.replace('e', 'E'), conflict: 'n\n', turned: 'n\n' };

/** Applies a merge and dies by SIGKILL before the step of the given number. */
const DYING = `
  const [module, dir, deadly] = process.argv.slice(1);
  const { applyEtcMerge, defaultEtcPolicy, planEtcMerge } = await import(module);
  const request = { defaultsDir: dir + '/D', userDir: dir + '/U', newDefaultsDir: dir + '/N', policy: defaultEtcPolicy() };
  const plan = planEtcMerge(request);
  let count = 0;
  const dies = (step) => new Proxy(step, { get(target, key) {
    if (key === 'to' && count++ === Number(deadly)) process.kill(process.pid, 'SIGKILL');
    return target[key];
  } });
  applyEtcMerge({ ...plan, actions: plan.actions.map((one) => ({ ...one, steps: one.steps.map(dies) })) }, dir + '/R');`;

describe('a merge that is killed', () => {
  asRoot('leaves its sources untouched and can be repeated', () => {
    const dir = scratchDir();
    const at = (name: string): string => path.join(dir, name);
    writeTree(at('D'), BASE);
    writeTree(at('U'), USER);
    writeTree(at('N'), NEXT);
    const sources = (): unknown => ['D', 'U', 'N'].map((name) => readTree(at(name)));
    const before = sources();
    const apply = (deadly: number): number => {
      const module = new URL('../../src/etc/index.js', import.meta.url).href;
      return run(process.execPath, ['--input-type=module', '-e', DYING, module, dir, `${deadly}`]).status;
    };
    copyTree(at('N'), at('R'));
    expect(apply(1e6)).toBe(0);
    const result = readTree(at('R'));
    const plan = planEtcMerge({ defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() });
    const steps = plan.actions.flatMap((action) => action.steps).length;
    expect(steps).toBeGreaterThan(8);
    for (let deadly = 0; deadly < steps; deadly++) {
      fs.rmSync(at('R'), { recursive: true });
      copyTree(at('N'), at('R'));
      expect(apply(deadly)).toBe(128 + 9);
      expect(sources()).toEqual(before);
      expect(apply(1e6)).toBe(0);
      expect(readTree(at('R'))).toEqual(result);
    }
  });
});
