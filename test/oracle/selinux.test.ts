/** Labels equal those of libselinux, by the small policy and by Debian's. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadSelinuxPolicy } from '../../src/repo/index.ts';
import { requireTool, run, runBytes, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { LOOKUPS, type LookupType, makePolicy } from '../helpers/selinux.ts';

const withMatchpathcon = requireTool('matchpathcon') ? it : it.skip;
const withDebianPolicy = requireTool('matchpathcon', 'apt-get', 'dpkg-deb', 'bunzip2') ? it : it.skip;

const MODES: Record<LookupType, number> = { file: 0o100644, dir: 0o040755, lnk_file: 0o120777 };

/** Asks libselinux for the labels of paths of one type. */
function askLibselinux(contexts: string, type: LookupType, paths: readonly string[]): string[] {
  const labels: string[] = [];
  for (let i = 0; i < paths.length; i += 500) {
    const some = paths.slice(i, i + 500);
    const lines = runOk('matchpathcon', ['-n', '-m', type, '-f', contexts, ...some]).split('\n');
    labels.push(...lines);
  }
  return labels;
}

describe('the small policy', () => {
  withMatchpathcon('gives what the table says', () => {
    const root = scratchDir();
    makePolicy(root);
    const contexts = `${root}/etc/selinux/small/contexts/files/file_contexts`;
    const found = LOOKUPS.map(([name, type]) => [name, type, askLibselinux(contexts, type, [name])[0]]);
    expect(found).toEqual(LOOKUPS);
  });
});

const MODULE_MAGIC = 0xf97cff8f;
const CONTEXTS_MAGIC = 0xf97cff90;

/** Takes the file contexts out of a policy module package: magic, version, count, offsets, then the sections. */
function contextsOf(module: Buffer): string {
  if (module.readUInt32LE(0) !== MODULE_MAGIC) throw new Error('not a policy module');
  const count = module.readUInt32LE(8);
  const offsets = Array.from({ length: count }, (_, i) => module.readUInt32LE(12 + 4 * i));
  const section = offsets.find((offset) => module.readUInt32LE(offset) === CONTEXTS_MAGIC);
  if (section === undefined) return '';
  const end = offsets.filter((offset) => offset > section).sort((a, b) => a - b)[0] ?? module.length;
  return module.toString('utf8', section + 4, end);
}

/** Downloads Debian's policy package and makes a root directory of it. */
function makeDebianPolicy(root: string): void {
  fs.chmodSync(root, 0o755);
  runOk('apt-get', ['-q', 'download', 'selinux-policy-default'], { cwd: root });
  const deb = fs.readdirSync(root).find((name) => name.endsWith('.deb')) ?? '';
  runOk('dpkg-deb', ['-x', deb, '.'], { cwd: root });
  const modules = path.join(root, 'usr/share/selinux/default');
  const texts = fs
    .readdirSync(modules)
    .filter((name) => name.endsWith('.pp.bz2'))
    .sort()
    .map((name) => contextsOf(runBytes('bunzip2', ['-c', path.join(modules, name)]).stdout));
  const lines = texts.join('').split('\n');
  fs.writeFileSync(
    path.join(root, 'etc/selinux/default/contexts/files/file_contexts'),
    `${lines.filter((line) => !line.includes('HOME_DIR')).join('\n')}\n`,
  );
  fs.writeFileSync(path.join(root, 'etc/selinux/config'), 'SELINUX=permissive\nSELINUXTYPE=default\n');
}

/** Paths of this machine, by type. */
function findPaths(): Record<LookupType, string[]> {
  const found = run('find', ['/', '-xdev', '-printf', '%y %p\\0']).stdout.split('\0');
  const ofType = (letter: string): string[] => found.filter((line) => line.startsWith(`${letter} `)).map((line) => line.slice(2));
  const some = (paths: string[]): string[] => paths.filter((_, i) => i % Math.ceil(paths.length / 3000) === 0);
  return { file: some(ofType('f')), dir: some(ofType('d')), lnk_file: some(ofType('l')) };
}

describe("Debian's policy", () => {
  withDebianPolicy(
    'gives the same labels to the files of this machine',
    () => {
      const root = scratchDir();
      makeDebianPolicy(root);
      const policy = loadSelinuxPolicy(root);
      const contexts = path.join(root, 'etc/selinux/default/contexts/files/file_contexts');
      const labels = new Set<string>();
      for (const [type, paths] of Object.entries(findPaths()) as [LookupType, string[]][]) {
        const usable = paths.filter((name) => name !== '/proc' && !name.includes('\n'));
        const ours = usable.map((name) => policy.labelFor(name, MODES[type]) ?? '<<none>>');
        expect(ours).toEqual(askLibselinux(contexts, type, usable));
        for (const label of ours) labels.add(label);
      }
      expect(labels.size).toBeGreaterThan(10); // how many there are depends on the machine
    },
    120_000,
  );
});
