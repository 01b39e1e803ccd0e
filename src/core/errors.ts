/**
 * Errors: one structured type, one table of codes.
 *
 * Library code throws HacktreeError and nothing else on purpose; it never prints and never exits. The command base
 * turns an error into text (`error: what, where, expected, found`, causes, hints) and an exit status. The table below
 * is the only place where a code is given its meaning; docs/errors.md is generated from it.
 */

export type ErrorKind = 'usage' | 'user' | 'config' | 'corrupt' | 'system' | 'network' | 'verification' | 'internal';

interface ErrorEntry {
  readonly kind: ErrorKind;
  /** Exit status with --exit-code; without it every failure but usage (2) exits 1. */
  readonly status: number;
  readonly meaning: string;
}

const entry = (kind: ErrorKind, status: number, meaning: string): ErrorEntry => ({ kind, status, meaning });

/** Every error code of the project. Sorted by area, then name. */
export const ERROR_TABLE = {
  usage: entry('usage', 2, 'The command line cannot be understood: unknown option, missing or extra argument, bad value.'),
  internal: entry('internal', 1, 'A bug in hacktree. Please report it with the command and the message.'),
  interrupted: entry('user', 130, 'Stopped by a signal (Ctrl-C). Nothing is lost; run the same command again to go on.'),
  'test-error': entry('user', 1, 'A fault that the environment asked for, to test scripts (OSTREE_REPO_TEST_ERROR).'),
  'not-supported': entry('user', 1, 'The request is valid but not available here (kernel, file system, or by design).'),

  'repo-not-found': entry('user', 1, 'No repository at the given place, or none was named.'),
  'repo-config': entry('config', 1, "The repository's config file is missing, unreadable or has an invalid value."),
  'repo-mode': entry('user', 1, "The operation is not possible in this repository's mode."),
  'repo-locked': entry('user', 23, 'Another process holds the repository lock longer than the timeout.'),
  'ref-not-found': entry('user', 1, 'No ref, remote ref or unique commit prefix of this name.'),
  'ref-invalid': entry('user', 1, 'The name breaks the rules for refs, remotes or collection IDs.'),
  'ref-conflict': entry('user', 1, 'The ref exists already, or is a directory of other refs.'),
  'object-missing': entry('corrupt', 24, 'An object that something refers to is not in the repository.'),
  'object-corrupt': entry('corrupt', 24, "An object's bytes do not match its checksum, or its structure is invalid."),
  'object-too-large': entry('corrupt', 24, 'A metadata object is larger than the format allows (128 MiB).'),
  'format-invalid': entry('corrupt', 24, 'Bytes are not what the format demands (truncated, wrong type, not in normal form).'),
  'commit-partial': entry('user', 1, 'The commit is present but some of its objects were never fetched.'),
  'path-not-found': entry('user', 1, 'The path does not exist in the commit or on disk.'),
  'path-unsafe': entry(
    'corrupt',
    24,
    'A name or link would lead outside the destination (.., /, NUL, symlink where a directory is expected).',
  ),
  'name-invalid': entry('user', 1, 'A file name cannot be stored: not UTF-8, empty, or with a slash.'),
  'special-file': entry('user', 1, 'Devices, FIFOs and sockets cannot be committed.'),
  'id-drift': entry('user', 1, 'A uid or gid means another name than in the parent commit (--strict-ids).'),
  'checkout-exists': entry('user', 1, 'The destination exists and no union option was given, or files differ.'),
  'tar-invalid': entry('user', 1, 'The tar stream is damaged or holds an entry that cannot be stored.'),
  'metadata-missing': entry('user', 1, 'The requested metadata key is not there.'),
  'selinux-policy': entry('user', 1, 'The SELinux policy directory has no usable file contexts.'),
  'index-corrupt': entry('corrupt', 24, 'The content index is damaged; `hacktree index rebuild` makes it anew.'),
  'no-space': entry('system', 20, 'Not enough free space or inodes; the message says what is needed and what there is.'),
  'read-only': entry('system', 1, 'The file system is mounted read-only.'),
  permission: entry('system', 1, 'The kernel refused: permissions or ownership.'),
  io: entry('system', 1, 'The kernel reported an input/output error.'),

  'remote-not-found': entry('user', 1, 'No remote of this name is configured.'),
  'remote-exists': entry('user', 1, 'A remote of this name is already configured.'),
  'remote-config': entry('config', 1, "A remote's configuration is missing a key or has an invalid value."),
  network: entry('network', 21, 'A request failed after all retries (connection, timeout, stall, HTTP status).'),
  'server-invalid': entry('network', 21, 'The server sent something that is not what was asked for.'),
  'signature-missing': entry('verification', 22, 'The remote requires a signature and there is none.'),
  'signature-invalid': entry('verification', 22, 'A signature is wrong, expired, revoked or by an unknown key.'),
  'key-invalid': entry('user', 22, 'A key or key file cannot be read.'),
  'binding-mismatch': entry('verification', 22, "The commit's ref or collection binding is not what was asked for."),
  'timestamp-older': entry('verification', 22, 'The new commit or summary is older than the present one.'),
  'delta-invalid': entry('corrupt', 24, 'A static delta is damaged, missing or cannot be applied.'),

  'sysroot-not-found': entry('user', 1, 'The sysroot has no /gnomeos; run `hacktree sysroot init`.'),
  'sysroot-locked': entry('user', 23, 'Another hacktree works on this sysroot; the message names its pid and command.'),
  'root-not-found': entry('user', 1, 'No deployed root of this name.'),
  'root-exists': entry('user', 1, 'A deployed root of this name exists already.'),
  'root-protected': entry('user', 1, 'The root is booted, pinned, the default or the last good one and must stay.'),
  'kernel-missing': entry('user', 1, 'The commit has no kernel and initramfs where they are looked for.'),
  'bootloader-missing': entry('user', 1, 'No supported boot loader was found on the disk.'),
  'bootloader-verify': entry('system', 24, 'The boot menu does not list what was written, or a file it names is wrong.'),
  'tree-invalid': entry('user', 1, "The commit's tree cannot be deployed as it is."),
  'etc-conflict': entry('user', 25, 'Local changes to /etc conflict with new defaults and the policy says to fail.'),
  'etc-policy': entry('config', 1, 'The policy file /etc/hacktree/etc-policy.conf has a line that cannot be understood.'),
  'deploy-script': entry('user', 1, 'A script of /etc/hacktree/deploy.d failed; the deployment was undone.'),
  'karg-invalid': entry('user', 1, 'A kernel argument edit does not fit the present arguments.'),
  'boot-menu-invalid': entry('user', 1, 'A boot menu was asked for that the boot loader cannot express.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorDetails {
  readonly path?: string;
  readonly expected?: string | number | bigint;
  readonly found?: string | number | bigint;
  readonly errno?: string;
  readonly [key: string]: unknown;
}

/** The one error type. `code` is stable; `message` is for people; `details` are for `--json`. */
export class HacktreeError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly hints: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetails; hints?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HacktreeError';
    this.code = code;
    this.details = options.details ?? {};
    this.hints = options.hints ?? [];
  }
}

/** Tells whether a value is a HacktreeError, also across realms and threads. */
export function isHacktreeError(value: unknown): value is HacktreeError {
  return typeof value === 'object' && value !== null && (value as Error).name === 'HacktreeError' && 'code' in value;
}

/** Returns the errno name (`ENOENT`) of a failed system call, else undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

const ERRNO_CODES: Record<string, ErrorCode> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EROFS: 'read-only',
  EACCES: 'permission',
  EPERM: 'permission',
  ENOENT: 'path-not-found',
};

/** Wraps a failed system call as a HacktreeError that says what was attempted and where; others pass unchanged. */
export function wrapSystemError(error: unknown, what: string, path?: string): unknown {
  if (isHacktreeError(error)) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const where = path === undefined ? '' : ` ${path}`;
  return new HacktreeError(ERRNO_CODES[errno] ?? 'io', `${what}${where}: ${describeErrno(errno)}`, {
    details: { ...(path === undefined ? {} : { path }), errno },
    cause: error,
  });
}

const ERRNO_TEXT: Record<string, string> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EEXIST: 'File exists',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  ENOTEMPTY: 'Directory not empty',
  ENOSPC: 'No space left on device',
  EDQUOT: 'Disk quota exceeded',
  EROFS: 'Read-only file system',
  EIO: 'Input/output error',
  EXDEV: 'Invalid cross-device link',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  EMLINK: 'Too many links',
  EOPNOTSUPP: 'Operation not supported',
  ENOTSUP: 'Operation not supported',
  EINVAL: 'Invalid argument',
  EBUSY: 'Device or resource busy',
  EMFILE: 'Too many open files',
  EAGAIN: 'Resource temporarily unavailable',
};

/** Says an errno in words as strerror(3) does, with the name where it is not a common one. */
export function describeErrno(errno: string): string {
  return ERRNO_TEXT[errno] ?? errno;
}
