import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseBlsName, printBlsName } from '../../../src/bootloader/bls.ts';
import { applyBootPlan, applyBootStep, openBootloader } from '../../../src/bootloader/index.ts';
import { makeMenu, writeFiles, writeKernels } from '../../helpers/boot-menu.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const HOST_ENTRY =
  'title Debian\nversion 6.1\nsort-key debian\nlinux /m/6.1/linux\ninitrd /m/6.1/initrd\noptions root=UUID=1 ro quiet\n';

function makeSysroot(): string {
  const sysroot = scratchDir();
  writeFiles(sysroot, {
    'efi/EFI/systemd/systemd-bootx64.efi': '',
    'efi/loader/loader.conf': 'timeout 3\ndefault m-*\n',
    'efi/loader/entries/m-6.1.conf': HOST_ENTRY,
    'sys/firmware/efi/efivars/.keep': '',
  });
  return sysroot;
}

const entryNames = (sysroot: string): string[] => fs.readdirSync(join(sysroot, 'efi/loader/entries')).sort();

describe('entry file names', () => {
  it.each([
    ['hacktree-root-1.conf', { id: 'root-1', triesLeft: undefined, triesDone: 0 }],
    ['hacktree-root-1+3.conf', { id: 'root-1', triesLeft: 3, triesDone: 0 }],
    ['hacktree-root-1+0-3.conf', { id: 'root-1', triesLeft: 0, triesDone: 3 }],
    ['hacktree-root-1%2B2+1-2.conf', { id: 'root-1+2', triesLeft: 1, triesDone: 2 }],
  ])('%s', (name, parsed) => {
    expect(parseBlsName(name)).toEqual(parsed);
    expect(printBlsName(parsed)).toBe(name);
  });

  it('are not taken for those of others', () => {
    for (const name of ['m-6.1.conf', 'hacktree-a.conf.new', 'hacktree-.conf']) expect(parseBlsName(name)).toBeUndefined();
  });
});

describe('the systemd-boot backend', () => {
  it('writes entries with a counter and puts the default of loader.conf aside', async () => {
    const sysroot = makeSysroot();
    const loader = openBootloader(sysroot);
    expect(loader).toMatchObject({
      name: 'systemd-boot',
      bootDir: join(sysroot, 'efi'),
      hostArguments: ['root=UUID=1', 'ro', 'quiet'],
    });
    const menu = makeMenu(['root-3', 'root-2', 'root-1'], { previousId: 'root-2', triesLeft: 3 });
    await applyBootPlan(loader.plan(menu));
    expect(loader.read()).toEqual(menu);
    expect(loader.plan(menu).steps).toEqual([]);
    expect(entryNames(sysroot)).toEqual(['hacktree-root-1.conf', 'hacktree-root-2.conf', 'hacktree-root-3+3.conf', 'm-6.1.conf']);
    expect(fs.readFileSync(join(sysroot, 'efi/loader/loader.conf'), 'utf8')).toBe('timeout 3\n#hacktree# default m-*\n');
    expect(fs.readFileSync(join(sysroot, 'efi/loader/entries/hacktree-root-3+3.conf'), 'utf8')).toMatch(
      /\nsort-key 0-hacktree-0\nversion 3\nlinux \/hacktree\/root-3\/vmlinuz\ninitrd \/hacktree\/root-3\/initrd\ninitrd \/hacktree\/overlay\noptions root=UUID=/,
    );
  });

  it('takes the previous entry for the default when the tries are used up', async () => {
    const sysroot = makeSysroot();
    const loader = openBootloader(sysroot);
    await applyBootPlan(loader.plan(makeMenu(['root-2', 'root-1'], { previousId: 'root-1', triesLeft: 1 })));
    const dir = join(sysroot, 'efi/loader/entries');
    fs.renameSync(join(dir, 'hacktree-root-2+1.conf'), join(dir, 'hacktree-root-2+0-1.conf'));
    expect(loader.read()).toMatchObject({ defaultId: 'root-1', fellBackId: 'root-2', triesLeft: undefined });
  });

  it("gives the default back to the host's loader.conf", async () => {
    const sysroot = makeSysroot();
    const loader = openBootloader(sysroot);
    await applyBootPlan(loader.plan(makeMenu(['root-1'])));
    await applyBootPlan(loader.plan({ ...makeMenu(['root-1']), defaultId: 'host' }));
    expect(fs.readFileSync(join(sysroot, 'efi/loader/loader.conf'), 'utf8')).toBe('timeout 3\ndefault m-*\n');
    expect(loader.read().defaultId).toBe('host');
  });

  it('has only complete entries after every step', async () => {
    const before = makeMenu(['root-2', 'root-1'], { previousId: 'root-1' });
    const after = makeMenu(['root-3', 'root-2'], { previousId: 'root-2', triesLeft: 2 });
    for (let k = 0, length = 1; k <= length; k++) {
      const sysroot = makeSysroot();
      writeKernels(join(sysroot, 'efi'), before);
      await applyBootPlan(openBootloader(sysroot).plan(before));
      writeKernels(join(sysroot, 'efi'), after);
      const plan = openBootloader(sysroot).plan(after);
      length = plan.steps.length;
      for (const step of plan.steps.slice(0, k)) await applyBootStep(step);
      const loader = openBootloader(sysroot);
      const found = loader.read();
      expect(loader.verify(found, new Map())).toEqual([]);
      expect(['root-2', 'root-3']).toContain(found.defaultId);
      if (k <= plan.visibleFrom) expect(found).toEqual(before);
      await applyBootPlan(loader.plan(after));
      expect(loader.read()).toEqual(after);
      expect(entryNames(sysroot)).toEqual(['hacktree-root-2.conf', 'hacktree-root-3+2.conf', 'm-6.1.conf']);
    }
  });

  it('sets a one-shot choice as an EFI variable', async () => {
    const sysroot = makeSysroot();
    const loader = openBootloader(sysroot);
    await applyBootPlan(loader.plan(makeMenu(['root-2', 'root-1'], { oneShotId: 'root-1' })));
    const variable = join(sysroot, 'sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f');
    expect(fs.readFileSync(variable)).toEqual(
      Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from('hacktree-root-1.conf\0', 'utf16le')]),
    );
    expect(loader.read().oneShotId).toBe('root-1');
    await applyBootPlan(loader.plan(makeMenu(['root-2', 'root-1'])));
    expect(fs.existsSync(variable)).toBe(false);
  });
});

describe('the backend for image builders', () => {
  it('writes entry files alone', async () => {
    const sysroot = scratchDir();
    writeFiles(sysroot, { 'boot/.keep': '' });
    const loader = openBootloader(sysroot, { name: 'none' });
    await applyBootPlan(loader.plan(makeMenu(['root-1'])));
    expect(fs.readdirSync(join(sysroot, 'boot/loader/entries'))).toEqual(['hacktree-root-1.conf']);
    expect(loader.warnings()).toMatchObject([{ code: 'boot-counting-off' }]);
    expect(() => loader.plan(makeMenu(['root-1'], { triesLeft: 3 }))).toThrow('not counted here');
    expect(() => loader.plan(makeMenu(['root-1'], { oneShotId: 'root-1' }))).toThrow(
      expect.objectContaining({ code: 'not-supported' }) as never,
    );
  });
});
