/** Where remotes are configured besides the repository. */
import { expect, it } from '@jest/globals';
import { remotesPlaceOf } from '../../../src/commands/network.ts';

it.each([
  ['/gnomeos/repo', '/etc/ostree/remotes.d'],
  ['/sysroot/gnomeos/repo', '/etc/ostree/remotes.d'],
  ['/ostree/repo', '/etc/ostree/remotes.d'],
  ['/mnt/image/gnomeos/repo', '/mnt/image/etc/ostree/remotes.d'],
  ['/mnt/image/gnomeos/repo/', '/mnt/image/etc/ostree/remotes.d'],
])('%s belongs to the system that has %s', (repo, dir) => {
  expect(remotesPlaceOf(repo)).toEqual({ configDirs: [dir] });
});

it.each(['/srv/repo', '/mnt/gnomeos/repository', '/mnt/gnomeos/repo/other'])('%s belongs to no system', (repo) => {
  expect(remotesPlaceOf(repo)).toEqual({});
});
