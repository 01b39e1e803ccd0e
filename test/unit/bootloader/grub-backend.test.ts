import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { editGrubenv, emptyGrubenv, parseGrubenv } from '../../../src/bootloader/grubenv.ts';
import {
  applyBootPlan,
  applyBootStep,
  type Bootloader,
  type BootMenu,
  type ExpectedDigests,
  openBootloader,
} from '../../../src/bootloader/index.ts';
import { sha256 } from '../../../src/core/index.ts';
import { makeEntry, makeGrubSysroot, makeMenu, writeKernels } from '../../helpers/boot-menu.ts';

const USER_CUSTOM = "menuentry 'My own' { reboot }";

/** A sysroot with a menu already in place. GRUB cannot count on the test machine's tmpfs, so no tries. */
async function setUp(menu: BootMenu): Promise<{ sysroot: string; loader: Bootloader }> {
  const sysroot = makeGrubSysroot(menu, { 'boot/grub/custom.cfg': USER_CUSTOM });
  const loader = openBootloader(sysroot);
  await applyBootPlan(loader.plan(menu));
  return { sysroot, loader };
}

const digestsOf = (menu: BootMenu): ExpectedDigests =>
  new Map(
    menu.entries
      .flatMap(({ kernel, initrds }) => [kernel, ...initrds])
      .map((p) => [p, sha256(Buffer.from(p)).toString('hex') as never]),
  );

const grubFile = (sysroot: string, name: string): string => join(sysroot, 'boot/grub', name);

describe('the GRUB backend', () => {
  it('reads an untouched disk as a menu without entries', () => {
    const loader = openBootloader(makeGrubSysroot(makeMenu([])));
    expect(loader).toMatchObject({ name: 'grub', hostArguments: expect.arrayContaining(['quiet', 'console=ttyS0,115200']) });
    expect(loader.read()).toEqual(makeMenu([]));
    expect(loader.plan(makeMenu([])).steps.map(({ kind }) => kind)).toContain('rename');
  });

  it('writes a menu, reads it back, and has nothing to do the second time', async () => {
    const menu = makeMenu(['root-2', 'root-1'], { previousId: 'root-1' });
    const { loader, sysroot } = await setUp(menu);
    expect(loader.read()).toEqual(menu);
    expect(loader.plan(menu)).toMatchObject({ steps: [] });
    expect(loader.verify(menu, digestsOf(menu))).toEqual([]);
    expect(fs.readdirSync(join(sysroot, 'boot/grub')).sort()).toEqual(['custom.cfg', 'grub.cfg', 'grubenv', 'hacktree.cfg']);
  });

  it("keeps the user's custom.cfg and adds one line, once", async () => {
    const menu = makeMenu(['root-1']);
    const { loader, sysroot } = await setUp(menu);
    await applyBootPlan(loader.plan(makeMenu(['root-2', 'root-1'])));
    const lines = fs.readFileSync(grubFile(sysroot, 'custom.cfg'), 'utf8').split('\n');
    expect(lines).toEqual([USER_CUSTOM, expect.stringContaining('# added by hacktree'), '']);
  });

  it('changes the default in place, without another write', async () => {
    const { loader, sysroot } = await setUp(makeMenu(['root-2', 'root-1']));
    const inode = fs.statSync(grubFile(sysroot, 'grubenv')).ino;
    const plan = loader.plan({ ...loader.read(), defaultId: 'root-1', oneShotId: 'root-2' });
    expect(plan).toMatchObject({ steps: [{ kind: 'set-grubenv' }], visibleFrom: 0 });
    await applyBootPlan(plan);
    expect(loader.read()).toMatchObject({ defaultId: 'root-1', oneShotId: 'root-2' });
    expect(fs.statSync(grubFile(sysroot, 'grubenv'))).toMatchObject({ ino: inode, size: 1024 });
  });

  it('takes a default that is not listed for what the script falls back to', async () => {
    const { loader, sysroot } = await setUp(makeMenu(['root-2', 'root-1']));
    const env = grubFile(sysroot, 'grubenv');
    fs.writeFileSync(env, editGrubenv(fs.readFileSync(env), { hacktree_default: 'root-9', hacktree_tries: '2' }));
    expect(loader.read()).toMatchObject({ defaultId: 'host', triesLeft: undefined });
  });

  it("leaves the host's one-shot choice and other variables alone", async () => {
    const { loader, sysroot } = await setUp(makeMenu(['root-1']));
    const env = grubFile(sysroot, 'grubenv');
    fs.writeFileSync(env, editGrubenv(fs.readFileSync(env), { next_entry: 'gnulinux-simple', saved_entry: '2' }));
    await applyBootPlan(loader.plan(makeMenu(['root-2', 'root-1'])));
    expect(Object.fromEntries(parseGrubenv(fs.readFileSync(env)))).toMatchObject({
      next_entry: 'gnulinux-simple',
      saved_entry: '2',
      hacktree_default: 'root-2',
    });
  });

  it('has a complete menu, old or new, after every step', async () => {
    const before = makeMenu(['root-2', 'root-1'], { previousId: 'root-1' });
    const after = makeMenu(['root-3', 'root-2'], { previousId: 'root-2' });
    const length = (await setUp(before)).loader.plan(after).steps.length;
    const seen = new Set<string>();
    for (let k = 0; k <= length; k++) {
      const { loader, sysroot } = await setUp(before);
      writeKernels(join(sysroot, 'boot'), after);
      const plan = loader.plan(after);
      for (const step of plan.steps.slice(0, k)) await applyBootStep(step);
      const found = openBootloader(sysroot).read();
      expect(loader.verify(found, digestsOf(found))).toEqual([]);
      expect(['root-2', 'root-3']).toContain(found.defaultId);
      if (k <= plan.visibleFrom) expect(found).toEqual(before);
      seen.add(found.defaultId);
      await applyBootPlan(openBootloader(sysroot).plan(after));
      expect(openBootloader(sysroot).read()).toEqual(after);
      expect(fs.readdirSync(join(sysroot, 'boot/grub')).sort()).toEqual(['custom.cfg', 'grub.cfg', 'grubenv', 'hacktree.cfg']);
    }
    expect([...seen].sort()).toEqual(['root-2', 'root-3']);
  });

  it('finds what is wrong with the files', async () => {
    const menu = makeMenu(['root-2', 'root-1']);
    const { loader, sysroot } = await setUp(menu);
    fs.writeFileSync(join(sysroot, 'boot/hacktree/root-2/vmlinuz'), 'other');
    fs.rmSync(join(sysroot, 'boot/hacktree/root-1/initrd'));
    expect(loader.verify({ ...menu, defaultId: 'root-1' }, digestsOf(menu))).toEqual([
      { entryId: undefined, path: grubFile(sysroot, 'hacktree.cfg'), problem: "the default is 'root-2', expected 'root-1'" },
      { entryId: 'root-2', path: join(sysroot, 'boot/hacktree/root-2/vmlinuz'), problem: expect.stringContaining('has SHA-256') },
      { entryId: 'root-1', path: join(sysroot, 'boot/hacktree/root-1/initrd'), problem: 'is missing' },
    ]);
  });

  it.each([
    [
      'an id that is not listed',
      makeMenu(['root-1'], { previousId: 'root-9' }),
      "The previous boot entry 'root-9' is not in the menu",
    ],
    ['an id twice', makeMenu(['root-1', 'root-1']), "'root-1' is listed twice"],
    ['digits as id', makeMenu(['12']), "'12' cannot name a boot entry"],
    ['ten tries', makeMenu(['root-1'], { triesLeft: 10 }), 'Boot tries must be 0 to 9, not 10'],
    ['a path that climbs', { ...makeMenu([]), entries: [makeEntry('a', { kernel: '../vmlinuz' })] }, 'unusable path'],
    ['a line break', { ...makeMenu([]), entries: [makeEntry('a', { title: 'a\n}' })] }, 'control character'],
    ['no initial RAM disk', { ...makeMenu([]), entries: [makeEntry('a', { initrds: [] })] }, 'no initial RAM disk'],
  ])('refuses %s', (_, menu, message) => {
    const loader = openBootloader(makeGrubSysroot(makeMenu([])));
    expect(() => loader.plan(menu)).toThrow(message);
  });

  it('reports a damaged environment block instead of booting by chance', () => {
    const sysroot = makeGrubSysroot(makeMenu([]), { 'boot/grub/grubenv': emptyGrubenv().toString().slice(1) });
    expect(() => openBootloader(sysroot).read()).toThrow(expect.objectContaining({ code: 'format-invalid' }) as never);
  });

  it('warns where the menu is never read', () => {
    const sysroot = makeGrubSysroot(makeMenu([]), { 'boot/grub/grub.cfg': 'menuentry x {\n linux /boot/vmlinuz\n}\n' });
    expect(openBootloader(sysroot).warnings()).toContainEqual(expect.objectContaining({ code: 'custom-cfg-not-sourced' }));
  });
});

describe('openBootloader', () => {
  it('says where it looked', () => {
    expect(() => openBootloader('/proc/self/task')).toThrow(
      expect.objectContaining({
        code: 'bootloader-missing',
        message: expect.stringContaining('boot/grub/grub.cfg, boot/grub2/grub.cfg'),
      }) as never,
    );
  });
});
