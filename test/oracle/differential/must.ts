/**
 * What must be compared: each option of each command that is a must (M) or a should (S) in part A of ostree-cli, by hand
 * from its tables, and the few that cannot be, with the reason.
 *
 * Left out: rare options (R), and those that ostree 2022.7 does not know (marked there with a dagger).
 */

const words = (text: string): readonly string[] => text.split(/\s+/);

export const MUST: Readonly<Record<string, readonly string[]>> = {
  init: words('mode collection-id'),
  commit: words(`branch orphan parent subject body body-file tree base add-metadata-string add-metadata keep-metadata
    add-detached-metadata-string no-bindings bind-ref owner-uid owner-gid canonical-permissions no-xattrs statoverride skip-list
    selinux-policy selinux-policy-from-base link-checkout-speedup devino-canonical consume skip-if-unchanged
    tar-autocreate-parents tar-pathname-filter bootable generate-sizes timestamp gpg-sign gpg-homedir sign sign-type
    table-output fsync disable-fsync`),
  checkout: words(`user-mode require-hardlinks force-copy subpath union union-add union-identical whiteouts
    process-passthrough-whiteouts bareuseronly-dirs skip-list selinux-policy selinux-prefix`),
  ls: words('recursive dironly checksum xattrs nul-filenames-only'),
  cat: [],
  diff: words('stats fs-diff no-xattrs owner-uid owner-gid'),
  log: ['raw'],
  show: words(`print-metadata-key print-detached-metadata-key print-sizes print-variant-type raw no-byteswap gpg-homedir
    gpg-verify-remote`),
  'rev-parse': ['single'],
  refs: words('list delete create force alias collections'),
  reset: [],
  fsck: words('add-tombstones quiet all delete verify-bindings verify-back-refs'),
  prune: words(`refs-only depth no-prune delete-commit keep-younger-than retain-branch-depth only-branch commit-only
    static-deltas-only`),
  summary: words('update view raw add-metadata gpg-sign gpg-homedir sign sign-type'),
  config: ['group'],
  checksum: ['ignore-xattrs'],
  export: words('no-xattrs subpath prefix output'),
  'gpg-sign': words('delete gpg-homedir'),
  sign: words('delete verify sign-type keys-file keys-dir'),
  pull: words(`mirror depth commit-metadata-only subpath disable-static-deltas require-static-deltas dry-run untrusted
    http-trusted bareuseronly-files cache-dir localcache-repo url http-header append-user-agent timestamp-check
    timestamp-check-from-rev disable-verify-bindings disable-fsync per-object-fsync`),
  'pull-local': words(`remote depth untrusted bareuseronly-files require-static-deltas gpg-verify gpg-verify-summary
    disable-verify-bindings commit-metadata-only disable-fsync per-object-fsync`),
  'remote add': words(`set no-gpg-verify no-sign-verify sign-verify if-not-exists force gpg-import custom-backend contenturl
    collection-id sysroot`),
  'remote delete': ['if-exists'],
  'remote list': ['show-urls'],
  'remote show-url': [],
  'remote gpg-import': words('keyring stdin'),
  'remote gpg-list-keys': [],
  'remote refs': ['cache-dir'],
  'remote summary': words('raw cache-dir'),
  'static-delta list': [],
  'static-delta show': [],
  'static-delta delete': [],
  'static-delta generate': words(`from to empty inline if-not-exists disable-bsdiff min-fallback-size max-bsdiff-size
    max-chunk-size filename set-endianness swap-endianness sign sign-type keys-file`),
  'static-delta apply-offline': [],
  'static-delta verify': [],
  'static-delta indexes': [],
  'static-delta reindex': ['to'],
};

const LIBSODIUM = "Debian's ostree is built without libsodium and does not know it";

/** `COMMAND --OPTION`, and why the real ostree cannot be asked. */
export const NOT_COMPARABLE: Readonly<Record<string, string>> = {
  'sign --keys-file': LIBSODIUM,
  'sign --keys-dir': LIBSODIUM,
  'static-delta generate --keys-file': LIBSODIUM,
};
