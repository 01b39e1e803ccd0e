/** Commands that deploy commits as bootable roots, and look after them. */
import { type CommandSpec, command } from '../spec.ts';

const SYSROOT = {
  long: 'sysroot',
  kind: 'string',
  value: 'DIR',
  completes: 'dir',
  summary: 'Work on this system root instead of /',
} as const;
const BOOTLOADER = {
  long: 'bootloader',
  kind: 'string',
  value: 'NAME',
  choices: ['grub', 'systemd-boot', 'none'],
  summary: 'Use this boot loader whatever the disk looks like; none writes plain entries for image builders',
} as const;
const WAIT = { long: 'wait', kind: 'flag', summary: 'Wait while another hacktree works on the sysroot' } as const;
export const COMMON = [SYSROOT, BOOTLOADER] as const;
export const CHANGING = [...COMMON, WAIT] as const;

const DEPLOYING = [
  { long: 'karg', kind: 'list', value: 'K=V', summary: 'Kernel argument that replaces all of its key' },
  { long: 'karg-append', kind: 'list', value: 'K=V', summary: 'Kernel argument to add at the end' },
  { long: 'karg-delete', kind: 'list', value: 'K[=V]', summary: 'Kernel argument to take away' },
  {
    long: 'tries',
    kind: 'int',
    value: 'N',
    summary: 'Boots that the new root gets to prove itself (default 3; 0 trusts it at once)',
  },
  { long: 'retain', kind: 'flag', summary: 'Keep all roots' },
  { long: 'make-room', kind: 'flag', summary: 'Remove roots that need not stay when space is short' },
  {
    long: 'etc-conflict',
    kind: 'string',
    value: 'RULE',
    choices: ['keep', 'new', 'fail'],
    summary: 'What a conflict in /etc does: keep the own file (default), take the new one, or fail',
  },
  {
    long: 'shell-on-error',
    kind: 'flag',
    summary: 'When a local script fails, open a shell in the new root; it goes on if that exits with 0',
  },
] as const;

export const sysrootInit = command({
  id: 'sysroot init',
  area: 'deploy',
  summary: 'Make /gnomeos and its repository',
  description: ['On an existing sysroot nothing changes.'],
  args: [],
  options: [...COMMON],
  frontEnds: ['hacktree'],
  examples: [{ does: 'In a running system', line: 'hacktree sysroot init' }],
});

export const deploy = command({
  id: 'deploy',
  area: 'deploy',
  summary: 'Make a commit a bootable root and put it first in the boot menu',
  description: [
    'The root is /gnomeos/root-VERSION. Until the boot menu is written in one step, the machine boots what it booted before.',
    'A new root has to prove itself: when it does not come up, the previous good one boots again.',
  ],
  args: [
    { name: 'rev', shown: 'REF|COMMIT', required: true, completes: 'rev', summary: 'What to deploy; upgrades follow a ref' },
  ],
  options: [
    ...CHANGING,
    {
      long: 'name',
      kind: 'string',
      value: 'VERSION',
      summary: "Name of the root; default: the commit's version, else ref and date",
    },
    { long: 'os', kind: 'string', value: 'NAME', summary: 'Roots of one OS name share /var and carry /etc on' },
    { long: 'not-as-default', kind: 'flag', summary: 'Put it into the menu, but do not boot it by itself' },
    { long: 'no-merge', kind: 'flag', summary: 'Fresh /etc, no kernel arguments of earlier roots' },
    { long: 'own-var', kind: 'flag', summary: 'Give the root a /var of its own' },
    { long: 'retain-pending', kind: 'flag', summary: 'Keep roots before the booted one' },
    { long: 'retain-rollback', kind: 'flag', summary: 'Keep roots after the booted one' },
    { long: 'dry-run', short: 'n', kind: 'flag', summary: 'Say what would be done and what it takes; change nothing' },
    ...DEPLOYING,
  ],
  interruptible: true,
  json: true,
  frontEnds: ['hacktree'],
  examples: [
    { does: 'Deploy a branch', line: 'hacktree deploy os/stable' },
    { does: 'With a serial console', line: 'hacktree deploy os/stable --karg-append=console=ttyS0' },
  ],
});

export const status = command({
  id: 'status',
  area: 'deploy',
  summary: 'Show the deployed roots and what each is to the machine',
  args: [],
  options: [...COMMON, { long: 'size', kind: 'flag', summary: 'Measure how much space each root has for itself and shares' }],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'For programs', line: 'hacktree status --json' }],
});

export const upgrade = command({
  id: 'upgrade',
  area: 'deploy',
  summary: 'Fetch the newest commit of the ref that is followed, and deploy it',
  args: [],
  options: [
    ...CHANGING,
    { long: 'check', kind: 'flag', summary: 'Only say what is booted, deployed and available' },
    { long: 'reboot', short: 'r', kind: 'flag', summary: 'Reboot when a new root was deployed' },
    { long: 'allow-downgrade', kind: 'flag', summary: 'Take an older commit too' },
    ...DEPLOYING,
  ],
  interruptible: true,
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Is there something new?', line: 'hacktree upgrade --check' }],
});

export const switchRef = command({
  id: 'switch',
  area: 'deploy',
  summary: 'Follow another ref and deploy it',
  args: [{ name: 'ref', shown: '[REMOTE:]REF', required: true, completes: 'ref', summary: 'The ref to follow from now on' }],
  options: [...CHANGING, ...DEPLOYING],
  interruptible: true,
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Try the next version', line: 'hacktree switch mirror:os/next' }],
});

export const rollback = command({
  id: 'rollback',
  area: 'deploy',
  summary: 'Make the previous good root the default again',
  description: [
    'Only the default changes; no root is written or removed.',
    'In a root that is not the default (chosen in the boot menu, or a new one waits for its first start), the booted one becomes the default.',
  ],
  args: [],
  options: [...CHANGING],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'After an update that disappoints', line: 'hacktree rollback' }],
});

const ROOT = { name: 'root', required: true, summary: 'Name of a root, with or without root-' } as const;

export const setDefault = command({
  id: 'set-default',
  area: 'deploy',
  summary: 'Choose what boots by itself',
  args: [{ name: 'root', shown: 'ROOT|host', required: true, summary: 'Name of a root, or host for the host system' }],
  options: [...CHANGING, { long: 'once', kind: 'flag', summary: 'At the next start only' }],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Boot the host once', line: 'hacktree set-default host --once' }],
});

export const undeploy = command({
  id: 'undeploy',
  area: 'deploy',
  summary: 'Remove a root and its boot entry',
  args: [ROOT],
  options: [...CHANGING],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Remove one', line: 'hacktree undeploy root-1.0' }],
});

export const pin = command({
  id: 'pin',
  area: 'deploy',
  summary: 'Keep a root whatever the policy says',
  args: [ROOT],
  options: [...CHANGING, { long: 'reason', kind: 'string', value: 'TEXT', summary: 'Why; shown by status' }],
  frontEnds: ['hacktree'],
  examples: [{ does: 'The one that works', line: "hacktree pin root-1.0 --reason='known good'" }],
});

export const unpin = command({
  id: 'unpin',
  area: 'deploy',
  summary: 'Let a pinned root go when the policy says so',
  args: [ROOT],
  options: [...CHANGING],
  frontEnds: ['hacktree'],
  examples: [{ does: 'Undo a pin', line: 'hacktree unpin root-1.0' }],
});

export const kargs = command({
  id: 'kargs',
  area: 'deploy',
  summary: 'Show or change the kernel arguments of a root',
  args: [{ name: 'root', summary: 'Which root; default: the one that boots by itself' }],
  options: [
    ...CHANGING,
    { long: 'append', kind: 'list', value: 'K=V', summary: 'Add at the end' },
    { long: 'append-if-missing', kind: 'list', value: 'K=V', summary: 'Add unless it is there' },
    { long: 'replace', kind: 'list', value: 'K=V', summary: 'Replace all of the key, or with K=OLD=NEW one value' },
    { long: 'delete', kind: 'list', value: 'K[=V]', summary: 'Take away' },
    { long: 'once', kind: 'flag', summary: 'For the next start only' },
  ],
  json: true,
  frontEnds: ['hacktree'],
  examples: [
    { does: 'Where each argument comes from', line: 'hacktree kargs' },
    { does: 'Debug the next boot', line: 'hacktree kargs --append=systemd.log_level=debug --once' },
  ],
});

export const cleanup = command({
  id: 'cleanup',
  area: 'deploy',
  summary: 'Remove leftovers, and roots that the policy lets go',
  description: ['Booted, default, fallback, last good and pinned roots always stay. The policy is /etc/hacktree/retention.conf.'],
  args: [],
  options: [...CHANGING, { long: 'dry-run', short: 'n', kind: 'flag', summary: 'Say what would go and what that frees' }],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Look first', line: 'hacktree cleanup --dry-run' }],
});

export const bootComplete = command({
  id: 'boot-complete',
  area: 'deploy',
  summary: 'Mark the booted root good',
  description: ['Done at every boot by a unit that the extra initramfs brings along; by hand it is needed only without systemd.'],
  args: [],
  options: [...CHANGING],
  frontEnds: ['hacktree'],
});

export const runIn = command({
  id: 'run',
  area: 'deploy',
  summary: 'Run a command inside a root without booting it',
  description: [
    'Private mounts and processes, /usr read-only; what is written elsewhere is thrown away unless --persist is given.',
  ],
  args: [
    { name: 'root', shown: 'ROOT|REF', required: true, summary: 'A deployed root, or a ref that is checked out for it' },
    { name: 'command', shown: 'CMD', many: true, summary: 'Program and arguments, after --; default: /bin/sh' },
  ],
  options: [
    ...COMMON,
    {
      long: 'persist',
      kind: 'string',
      value: 'DIR',
      completes: 'dir',
      summary: 'Keep what is written in DIR, and see it again next time',
    },
    { long: 'home', kind: 'flag', summary: "Share the host's /home" },
  ],
  frontEnds: ['hacktree'],
  examples: [{ does: 'Which version is it?', line: 'hacktree run root-2.0 -- cat /etc/os-release' }],
});

export const DEPLOY_COMMANDS = [
  sysrootInit,
  deploy,
  status,
  upgrade,
  switchRef,
  rollback,
  setDefault,
  undeploy,
  pin,
  unpin,
  kargs,
  cleanup,
  bootComplete,
  runIn,
] as const satisfies readonly CommandSpec[];
