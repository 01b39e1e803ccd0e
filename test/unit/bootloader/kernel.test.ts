import { describe, expect, it } from '@jest/globals';
import { findKernel } from '../../../src/bootloader/index.ts';
import { writeFiles } from '../../helpers/boot-menu.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const hex = 'ab'.repeat(32);

function find(files: Record<string, string>): { version: string; kernel: string; initrd: string } {
  const tree = scratchDir();
  writeFiles(tree, files);
  return findKernel(tree);
}

describe('findKernel', () => {
  it('finds the newest kernel with an initial RAM disk in usr/lib/modules', () => {
    const at = (version: string): string => `usr/lib/modules/${version}`;
    const files = {
      [`${at('6.9.1')}/vmlinuz`]: '',
      [`${at('6.9.1')}/initramfs`]: '',
      [`${at('6.10.0')}/vmlinuz`]: '',
      [`${at('6.10.0')}/initramfs.img`]: '',
      [`${at('6.11.0')}/vmlinuz`]: '',
      'boot/vmlinuz-7': '',
      'boot/initrd.img-7': '',
    };
    expect(find(files)).toEqual({
      version: '6.10.0',
      kernel: `${at('6.10.0')}/vmlinuz`,
      initrd: `${at('6.10.0')}/initramfs.img`,
    });
  });

  it("finds Debian's in boot", () => {
    const files = { 'boot/vmlinuz-6.1.0-9-amd64': '', 'boot/initrd.img-6.1.0-9-amd64': '', 'boot/vmlinuz-6.1.0-23-amd64': '' };
    expect(find({ ...files, 'boot/initrd.img-6.1.0-23-amd64': '' }).version).toBe('6.1.0-23-amd64');
    expect(find(files)).toEqual({
      version: '6.1.0-9-amd64',
      kernel: 'boot/vmlinuz-6.1.0-9-amd64',
      initrd: 'boot/initrd.img-6.1.0-9-amd64',
    });
  });

  it.each(['usr/lib/ostree-boot', 'boot'])("finds OSTree's old layout in %s", (dir) => {
    expect(find({ [`${dir}/vmlinuz-6.1-x-${hex}`]: '', [`${dir}/initramfs-6.1-x.img-${hex}`]: '' })).toEqual({
      version: '6.1-x',
      kernel: `${dir}/vmlinuz-6.1-x-${hex}`,
      initrd: `${dir}/initramfs-6.1-x.img-${hex}`,
    });
  });

  it('names all places when there is none', () => {
    expect(() => find({ 'usr/bin/sh': '' })).toThrow(
      /^No kernel in .*; looked for usr\/lib\/modules\/\*\/vmlinuz with initramfs.img, usr\/lib\/ostree-boot\/vmlinuz-\*, boot\/vmlinuz-\*/,
    );
    expect(() => find({ 'boot/vmlinuz-1': '' })).toThrow(/The kernel boot\/vmlinuz-1 in .* has no initial RAM disk/);
  });
});
