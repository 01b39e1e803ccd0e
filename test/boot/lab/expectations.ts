/** What every deployed root must show from inside, by the guest's report. Used by each test that boots one. */
import { expect } from '@jest/globals';
import type { DiskKind } from './disk.ts';
import type { Report } from './report.ts';

const WRITABLE = ['/etc', '/var', '/root', '/srv', '/mnt', '/media', '/home', '/tmp'];

/** What holds in every deployed root, with and without systemd. */
export function expectDeployed(found: Report, root: string, kind: DiskKind = 'bios'): void {
  expect(found.one('id')).toBe(root);
  expect(found.writable).toEqual(WRITABLE);
  expect(found.all('booted')).toEqual([`root=${root}`, 'var=debian', expect.stringMatching(/^boot_id=[0-9a-f-]{36}$/)]);
  expect(found.one('same-boot')).toBe('1');
  expect(found.one('home')).toBe('hello');
  expect(found.one('gnomeos')).toContain(`${root} `);
  expect(found.one('dpkg')).toMatch(/^1\./);
  expect(found.all('mount')).toEqual(
    expect.arrayContaining([
      `/ /gnomeos/${root} ro,relatime`,
      `/etc /gnomeos/${root}/etc rw,relatime`,
      '/var /gnomeos/var/debian rw,relatime',
      '/home /home rw,relatime',
      `/var/lib/dpkg /gnomeos/${root}/var/lib/dpkg ro,relatime`,
      kind === 'separate-boot' ? '/boot / ro,relatime' : '/boot /boot ro,relatime',
      '/sysroot / ro,relatime',
    ]),
  );
}

/** What holds besides once systemd is up. */
export function expectHealthySystem(found: Report, root: string): void {
  expect(found.one('failed-units')).toBe('');
  expect(found.one('machine-id')).toBe('33');
  expect(found.one('below-sysroot')).toBe('0');
  expect(found.one('boot-complete')).toBe('success');
  expect(found.all('state')).toContainEqual(expect.stringMatching(`^${root}/good time=[0-9]+$`));
}
