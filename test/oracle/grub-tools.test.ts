/** GRUB's own tools as oracle: grub-editenv for the environment block, grub-script-check for the menu. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseGrubHost } from '../../src/bootloader/grub-host.ts';
import { printGrubScript } from '../../src/bootloader/grub-script.ts';
import { editGrubenv, emptyGrubenv, parseGrubenv } from '../../src/bootloader/grubenv.ts';
import { HOST_GRUB_CFG, makeEntry } from '../helpers/boot-menu.ts';
import { requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withGrub = requireTool('grub-editenv', 'grub-script-check') ? it : it.skip;

const EDITS: Record<string, string | undefined>[] = [
  { saved_entry: '0', next_entry: 'root-1' },
  { hacktree_default: 'root-3.2', hacktree_tries: '3' },
  { b: 'back\\slash', n: 'two\nlines', empty: '' },
  { hacktree_tries: '2', next_entry: undefined, nothing: undefined },
  { saved_entry: undefined, n: 'a=b # c' },
];

describe('the environment block', () => {
  withGrub('is byte for byte what grub-editenv writes', () => {
    const file = join(scratchDir(), 'grubenv');
    runOk('grub-editenv', [file, 'create']);
    let block = emptyGrubenv();
    expect(block.equals(readFileSync(file))).toBe(true);
    for (const edit of EDITS) {
      block = editGrubenv(block, edit);
      for (const [name, value] of Object.entries(edit)) {
        runOk('grub-editenv', value === undefined ? [file, 'unset', name] : [file, 'set', `${name}=${value}`]);
      }
      expect(block.toString()).toBe(readFileSync(file, 'utf8'));
    }
    expect(parseGrubenv(readFileSync(file)).get('b')).toBe('back\\slash');
  });
});

describe('the menu', () => {
  withGrub('is a script that GRUB accepts', () => {
    const file = join(scratchDir(), 'hacktree.cfg');
    const odd = makeEntry('root-2', { title: 'Bob\'s "root" $x {', arguments: ['ro', 'a="b c"', 'x=$y', 'p;q'] });
    const menu = { entries: [makeEntry('root-1'), odd], fallbackDefaultId: 'root-1' };
    writeFileSync(file, printGrubScript(menu, parseGrubHost(HOST_GRUB_CFG), ''));
    runOk('grub-script-check', [file]);
  });
});
