/** SELinux labels of paths in a checkout, by the policy of a root directory. */
import { loadSelinuxPolicy } from '../repo/index.ts';
import type { LabelFor } from './inode.ts';
import type { Settings } from './settings.ts';

/** Loads the policy that the settings name; undefined when they name none. Errors: `selinux-policy`. */
export function openLabels({ selinux }: Settings): LabelFor | undefined {
  if (selinux === undefined) return undefined;
  const policy = loadSelinuxPolicy(selinux.policy);
  const root = `/${selinux.prefix.replace(/^\/+|\/+$/g, '')}`;
  const join = (path: string): string => (root === '/' ? `/${path}` : path === '' ? root : `${root}/${path}`);
  return (path, mode) => policy.labelFor(join(path), mode);
}
