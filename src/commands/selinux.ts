/** Which directories hold a SELinux policy: ostree takes those that do not for "no labels". */
import { existsSync } from 'node:fs';
import * as path from 'node:path';

export function hasSelinuxPolicy(dir: string): boolean {
  return ['etc', 'usr/etc'].some((etc) => existsSync(path.join(dir, etc, 'selinux/config')));
}
