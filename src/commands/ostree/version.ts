/**
 * What `ostree --version` prints: YAML with the features that really work here.
 *
 * Scripts and ostree's test suite read the list to decide what to use, so a name is added only with what it stands for.
 *
 * Source: ostree-cli A.0.
 */

/** The release of ostree whose commands and options are served. */
const OSTREE_VERSION = '2022.7';

const FEATURES = ['gpgme', 'libarchive', 'selinux', 'release', 'sign-ed25519', 'sign-spki'];

/** Prints the version page. */
export function versionPage(): string {
  const features = FEATURES.map((name) => `  - ${name}\n`).join('');
  return `libostree:\n Version: '${OSTREE_VERSION}'\n Features:\n${features}`;
}
