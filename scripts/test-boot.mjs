/** npm run test:boot: the tests that boot machines in QEMU, two at a time. */
process.argv.splice(2, 0, '--boot');
await import('./test.mjs');
