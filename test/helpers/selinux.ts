/** A small SELinux policy with every rule that a lookup knows, and what libselinux answers by it. */
import * as fs from 'node:fs';
import { join } from 'node:path';

const CONTEXTS = `# a comment
/.*                          default_t
/a                           -d   a_dir_t
/a                           --   a_file_t
/usr(/.*)?                   usr_t
/usr/lib(/.*)?               lib_t
/usr/lib/special\\.so         special_t
/usr/lib/[^/]*\\.so           --   so_t
/usr/lib/late(/.*)?          late_t
/usr/(s)?bin(/.*)?           bin_t
/usr/bin/x?tool              tool_t
/usr/bin/a\\+b                plus_t
/usr/bin/y+                  many_t
/usr/bin/[[:digit:]]{2}      digits_t
/etc                         etc_t
/etc/.*                      etc_t
/etc/secret.*                -l   <<none>>
/mnt(/[^/]*)?                mnt_t
/proc/.*                     <<none>>
/proc                        <<none>>
/dev/[hs]d[a-z]              -b   disk_t
/srv/([^/]*/)?www(/.*)?      www_t
/opt/..[.]x                  bytes_t
/one|/two                    either_t
/dup                         first_t
/dup                         second_t
`;

const HOMEDIRS = '/home/[^/]+/\\.ssh(/.*)?   ssh_home_t\n/home/[^/]+   -d   home_dir_t\n';
const LOCAL = '/usr/lib/late/local   local_t\n/srv/local(/.*)?   local_t\n';
const SUBS = '/second /a\n/mine /usr/lib\n/mine/deep /usr/bin\n/chain /lib\n';
const SUBS_DIST = '/lib /usr/lib\n/lib64 /usr/lib\n/bin /usr/bin\n/root-of /\n';

/** Makes the policy `small` below a root directory. */
export function makePolicy(root: string): void {
  const files = join(root, 'etc/selinux/small/contexts/files');
  fs.mkdirSync(files, { recursive: true });
  fs.writeFileSync(join(root, 'etc/selinux/config'), '# comment\nSELINUX=permissive\nSELINUXTYPE=small \n');
  fs.writeFileSync(join(files, 'file_contexts'), CONTEXTS);
  fs.writeFileSync(join(files, 'file_contexts.homedirs'), HOMEDIRS);
  fs.writeFileSync(join(files, 'file_contexts.local'), LOCAL);
  fs.writeFileSync(join(files, 'file_contexts.subs'), SUBS);
  fs.writeFileSync(join(files, 'file_contexts.subs_dist'), SUBS_DIST);
}

export type LookupType = 'file' | 'dir' | 'lnk_file';

/** Path, type, and the label that it gets. */
export const LOOKUPS: readonly [string, LookupType, string][] = [
  ['/', 'dir', 'default_t'],
  ['/a', 'dir', 'a_dir_t'],
  ['/a', 'file', 'a_file_t'],
  ['/a', 'lnk_file', 'default_t'],
  ['/usr', 'dir', 'usr_t'],
  ['/usr/lib/x', 'file', 'lib_t'],
  ['/usr/lib/special.so', 'file', 'special_t'],
  ['/usr/lib/specialxso', 'file', 'lib_t'],
  ['/usr/lib/other.so', 'file', 'so_t'],
  ['/usr/lib/other.so', 'lnk_file', 'lib_t'],
  ['/usr/lib/sub/other.so', 'file', 'lib_t'],
  ['/usr/lib/late/x', 'file', 'late_t'],
  ['/usr/lib/late/local', 'file', 'local_t'],
  ['/usr/bin', 'dir', 'bin_t'],
  ['/usr/sbin/x', 'file', 'bin_t'],
  ['/usr/bin/tool', 'file', 'tool_t'],
  ['/usr/bin/xtool', 'file', 'tool_t'],
  ['/usr/bin/a+b', 'file', 'plus_t'],
  ['/usr/bin/aab', 'file', 'bin_t'],
  ['/usr/bin/y', 'file', 'many_t'],
  ['/usr/bin/yyy', 'file', 'many_t'],
  ['/usr/bin/42', 'file', 'digits_t'],
  ['/usr/bin/421', 'file', 'bin_t'],
  ['/usr/bin/4a', 'file', 'bin_t'],
  ['/etc', 'dir', 'etc_t'],
  ['/etc/x', 'file', 'etc_t'],
  ['/etc/secrets', 'lnk_file', '<<none>>'],
  ['/etc/secrets', 'file', 'etc_t'],
  ['/mnt', 'dir', 'mnt_t'],
  ['/mnt/x', 'dir', 'mnt_t'],
  ['/mnt/x/y', 'dir', 'default_t'],
  ['/proc/1', 'dir', '<<none>>'],
  ['/dev/sda', 'file', 'default_t'],
  ['/srv/www', 'dir', 'www_t'],
  ['/srv/x/www/y', 'file', 'www_t'],
  ['/srv/x/y/www', 'file', 'default_t'],
  ['/srv/local/www', 'file', 'local_t'],
  ['/opt/é.x', 'file', 'bytes_t'],
  ['/opt/éé', 'file', 'default_t'],
  ['/one', 'file', 'either_t'],
  ['/two', 'file', 'either_t'],
  ['/one/x', 'file', 'either_t'],
  ['/x/two', 'file', 'either_t'],
  ['/onex', 'file', 'either_t'],
  ['/dup', 'file', 'second_t'],
  ['/home/joe', 'dir', 'home_dir_t'],
  ['/home/joe', 'file', 'default_t'],
  ['/home/joe/.ssh/id', 'file', 'ssh_home_t'],
  ['/second', 'dir', 'a_dir_t'],
  ['/mine/other.so', 'file', 'so_t'],
  ['/mine/deep/tool', 'file', 'tool_t'],
  ['/minex', 'file', 'default_t'],
  ['/chain/other.so', 'file', 'so_t'],
  ['/lib/special.so', 'file', 'special_t'],
  ['/lib64/x.so', 'file', 'so_t'],
  ['/bin', 'dir', 'bin_t'],
  ['/root-of/a', 'file', 'a_file_t'],
  ['/root-of', 'dir', 'default_t'],
  ['//usr//lib///x.so', 'file', 'so_t'],
  ['/usr/lib/new\nline.so', 'file', 'so_t'],
  ['/usr/lib/x.so\n', 'file', 'so_t'],
  ['/nothing', 'file', 'default_t'],
];
