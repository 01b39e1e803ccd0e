import { describe, expect, it } from '@jest/globals';
import { parseExt4Features } from '../../../src/bootloader/boot-disk.ts';
import { parseGrubHost } from '../../../src/bootloader/grub-host.ts';
import { parseGrubScript, printGrubScript } from '../../../src/bootloader/grub-script.ts';
import { grubArgument, quoteGrubWord, splitGrubCommands } from '../../../src/bootloader/grub-words.ts';
import { editGrubenv, emptyGrubenv, parseGrubenv } from '../../../src/bootloader/grubenv.ts';
import { FS_UUID, HOST_GRUB_CFG, makeEntry } from '../../helpers/boot-menu.ts';

describe('GRUB words', () => {
  it('reads quotes, escapes, comments and braces', () => {
    expect(splitGrubCommands("a 'b c' \"d \\\" e\"f\\ g # no\n\n x; y {\n z }\n'it'\\''s'")).toEqual([
      ['a', 'b c', 'd " ef g'],
      ['x'],
      ['y', '{'],
      ['z'],
      ['}'],
      ["it's"],
    ]);
  });

  it('quotes any word so that it reads back the same', () => {
    for (const word of ['plain', 'two words', "it's", '$x `y` "z"', 'a;b{c}d#e', '\\', '']) {
      expect(splitGrubCommands(`echo ${quoteGrubWord(word)} end`)).toEqual([['echo', word, 'end']]);
    }
  });

  it('passes kernel arguments so that the kernel sees them, or refuses', () => {
    expect(grubArgument('root=UUID=1-2')).toBe('root=UUID=1-2');
    expect(grubArgument('dyndbg="file a.c +p"')).toBe("'dyndbg=file a.c +p'");
    expect(grubArgument('label=a\\x20b')).toBe("'label=a\\x20b'");
    expect(() => grubArgument("a='b'")).toThrow(expect.objectContaining({ code: 'boot-menu-invalid' }) as never);
    expect(() => grubArgument('a=b\\c')).toThrow('apostrophe or a backslash');
  });
});

describe('parseGrubHost', () => {
  it('takes what is needed from the first Linux entry', () => {
    expect(parseGrubHost(HOST_GRUB_CFG)).toEqual({
      title: 'Debian GNU/Linux',
      arguments: [`root=UUID=${FS_UUID}`, 'ro', 'quiet', 'console=ttyS0,115200'],
      bootPrefix: '/boot',
      linuxCommand: 'linux',
      initrdCommand: 'initrd',
      fsUuid: FS_UUID,
      modules: ['gzio', 'part_msdos', 'ext2'],
      loadsVideo: true,
      gfxPayload: undefined,
      sourcesCustomCfg: true,
    });
  });

  it('knows a separate boot partition, a subvolume and the EFI commands', () => {
    const prefix = (path: string): string | undefined => parseGrubHost(`menuentry x {\n linux ${path} ro\n}`).bootPrefix;
    expect(prefix('/vmlinuz-1')).toBe('');
    expect(prefix('/@/boot/vmlinuz-1')).toBe('/@/boot');
    expect(prefix('($root)/boot/vmlinuz-1')).toBe('/boot');
    expect(parseGrubHost('menuentry x {\n linuxefi /v\n}')).toMatchObject({
      linuxCommand: 'linuxefi',
      initrdCommand: 'initrdefi',
    });
  });

  it('says little about a file without Linux', () => {
    const host = parseGrubHost('search --no-floppy --fs-uuid --set=root 1234-5678\nblscfg\n');
    expect(host).toMatchObject({
      title: undefined,
      arguments: [],
      bootPrefix: undefined,
      fsUuid: '1234-5678',
      sourcesCustomCfg: false,
    });
  });
});

describe('the GRUB script', () => {
  const host = parseGrubHost(HOST_GRUB_CFG);
  const entries = [makeEntry('root-3'), makeEntry('root-2', { title: "Bob's $HOME; {x}", version: '2 beta' })];

  it('reads back what was printed', () => {
    const menu = { entries, fallbackDefaultId: 'root-2' };
    expect(parseGrubScript(printGrubScript(menu, host, ''))).toEqual(menu);
  });

  it('starts the kernel as the host does', () => {
    const script = printGrubScript({ entries, fallbackDefaultId: 'host' }, host, '');
    expect(script).toContain('set hacktree_boot=/boot\n');
    expect(script).toContain(`search --no-floppy --fs-uuid --set=root ${FS_UUID}\n`);
    expect(script).toContain('  insmod gzio\n  insmod part_msdos\n  insmod ext2\n');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a GRUB variable
    expect(script).toContain('  initrd ${hacktree_boot}/hacktree/root-3/initrd ${hacktree_boot}/hacktree/overlay\n');
  });

  it('counts every number of tries down by one', () => {
    const script = printGrubScript({ entries, fallbackDefaultId: 'host' }, host, '');
    for (let tries = 9; tries > 0; tries--) {
      expect(script).toContain(`if [ "\${hacktree_tries}" = ${tries} ]; then set hacktree_tries=${tries - 1}\n`);
    }
  });

  it('is empty without entries', () => {
    expect(splitGrubCommands(printGrubScript({ entries: [], fallbackDefaultId: 'host' }, host, ''))).toEqual([]);
  });
});

describe('grubenv', () => {
  it('keeps size, comments, order and unknown variables', () => {
    let block = editGrubenv(emptyGrubenv(), { saved_entry: 'x', a: '1' });
    block = editGrubenv(block, { hacktree_default: 'root-1', a: undefined, b: 'p\\q\nr' });
    expect(block).toHaveLength(1024);
    expect([...parseGrubenv(block)]).toEqual([
      ['saved_entry', 'x'],
      ['hacktree_default', 'root-1'],
      ['b', 'p\\q\nr'],
    ]);
    expect(editGrubenv(block, { saved_entry: 'y' }).toString()).toMatch(
      /!!!\nsaved_entry=y\nhacktree_default=root-1\nb=p\\\\q\\\nr\n#+$/,
    );
  });

  it('refuses another size, another start and too much', () => {
    const invalid = expect.objectContaining({ code: 'format-invalid' }) as never;
    expect(() => parseGrubenv(Buffer.alloc(1024, '#'))).toThrow(invalid);
    expect(() => parseGrubenv(emptyGrubenv().subarray(0, 1000))).toThrow(invalid);
    expect(() => editGrubenv(emptyGrubenv(), { a: 'x'.repeat(1000) })).toThrow('no room');
  });
});

describe('parseExt4Features', () => {
  const superblock = (incompat: number): Buffer => {
    const bytes = Buffer.alloc(1024);
    bytes.writeUInt16LE(0xef53, 0x38);
    bytes.writeUInt32LE(incompat, 0x60);
    return bytes;
  };

  it('names what GRUB cannot read, and what some GRUBs cannot', () => {
    expect(parseExt4Features(superblock(0x2c2))).toEqual({ unreadable: [], doubtful: [] });
    expect(parseExt4Features(superblock(0x22c2))).toEqual({ unreadable: [], doubtful: ['metadata_csum_seed'] });
    expect(parseExt4Features(superblock(0x282c2))).toEqual({ unreadable: ['inline_data', 'casefold'], doubtful: [] });
    expect(parseExt4Features(Buffer.alloc(1024))).toBeUndefined();
  });
});
