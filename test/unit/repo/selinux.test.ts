/** Labels by small policies; the answers are those of libselinux (test/oracle/selinux.test.ts asks it). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadSelinuxPolicy } from '../../../src/repo/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';
import { LOOKUPS, makePolicy } from '../../helpers/selinux.ts';

describe('labels', () => {
  it.each(LOOKUPS)('%s as %s is %s', (path, type, label) => {
    const root = scratchDir();
    makePolicy(root);
    const mode = { file: 0o100644, dir: 0o040755, lnk_file: 0o120777 }[type];
    expect(loadSelinuxPolicy(root).labelFor(path, mode)).toBe(label === '<<none>>' ? undefined : label);
  });

  it('gives /proc the label of /mnt', () => {
    const root = scratchDir();
    makePolicy(root);
    expect(loadSelinuxPolicy(root).labelFor('/proc', 0o040755)).toBe('mnt_t');
  });

  it('reads usr/etc where the root has no etc', () => {
    const root = scratchDir();
    makePolicy(join(root, 'usr'));
    expect(loadSelinuxPolicy(root).name).toBe('small');
  });
});

describe('a root without a usable policy', () => {
  const broken: [string, (root: string) => void][] = [
    ['no configuration', (root) => fs.rmSync(join(root, 'etc/selinux/config'))],
    ['no type', (root) => fs.writeFileSync(join(root, 'etc/selinux/config'), 'SELINUX=enforcing\n')],
    ['a type that leads elsewhere', (root) => fs.writeFileSync(join(root, 'etc/selinux/config'), 'SELINUXTYPE=../../x\n')],
    ['no file contexts', (root) => fs.rmSync(join(root, 'etc/selinux/small'), { recursive: true })],
    ['a line that is none', (root) => fs.writeFileSync(join(root, FILE_CONTEXTS), '/x -q label\n')],
    ['a line of one word', (root) => fs.writeFileSync(join(root, FILE_CONTEXTS), '/x\n')],
  ];
  const FILE_CONTEXTS = 'etc/selinux/small/contexts/files/file_contexts';

  it.each(broken)('%s', (_, damage) => {
    const root = scratchDir();
    makePolicy(root);
    damage(root);
    expect(() => loadSelinuxPolicy(root)).toThrow(expect.objectContaining({ code: 'selinux-policy' }));
  });

  it('a regular expression that cannot be understood', () => {
    const root = scratchDir();
    makePolicy(root);
    fs.writeFileSync(join(root, FILE_CONTEXTS), '/x(.* label\n');
    expect(() => loadSelinuxPolicy(root).labelFor('/xy', 0o100644)).toThrow(expect.objectContaining({ code: 'selinux-policy' }));
  });
});
