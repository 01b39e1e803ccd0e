/** Which directories hold a SELinux policy: ostree takes those that do not for "no labels". */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { HacktreeError } from '../core/index.ts';

/** Errors: `path-not-found` when there is no such directory. */
export function hasSelinuxPolicy(dir: string): boolean {
  if (!existsSync(dir)) {
    throw new HacktreeError('path-not-found', `selinux-policy: opendir(${dir}): No such file or directory`, {
      details: { path: dir },
    });
  }
  return ['etc', 'usr/etc'].some((etc) => existsSync(path.join(dir, etc, 'selinux/config')));
}
