/**
 * Order in which jest runs test files: those that take minutes first, the longest before the others, so that no processor
 * waits for a last long one. On a fresh machine jest knows no times and would go by the files' sizes.
 */

/** Longest first, as measured on two cores. A file that is not here is short. */
const SLOW = [
  ...['boot/story', 'boot/story-uefi', 'boot/story-own-boot', 'boot/story-dracut', 'boot/initramfs', 'boot/trial', 'boot/power'],
  ...['oracle/differential/chains', 'oracle/differential/generated', 'crash/power-cut', 'faults/checkout', 'faults/commit'],
  ...['oracle/checkout/modes', 'mirror/tools', 'oracle/cli-pull', 'faults/refs', 'mirror/kill', 'oracle/cli-read'],
  ...['faults/integrity', 'mirror/reuse', 'oracle/cli-conventions', 'crash/kill'],
];

const rank = ({ path }) => {
  const found = SLOW.findIndex((name) => path.endsWith(`/${name}.test.js`));
  return found < 0 ? SLOW.length : found;
};

export default class SlowFirst {
  sort(tests) {
    return [...tests].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  }

  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
